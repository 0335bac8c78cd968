#!/usr/bin/env node
import { runVerb } from '../src/cli/verb.ts';
import { verbs } from '../src/cli/verbs.ts';

await runVerb(verbs);
