import type { Adapter } from '../contract.ts';
import { diagnose } from './diagnose.ts';
import { openSession } from './session.ts';
import { about, parse, type TelegramSettings } from './settings.ts';

export const telegram: Adapter<TelegramSettings> = { network: 'telegram', about, parse, open: openSession, diagnose };
