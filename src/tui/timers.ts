/** The screen's clock: everything that it waits for ends with it. */
export function makeTimers() {
  const running = new Set<NodeJS.Timeout>();
  const setTimer = (action: () => void, ms: number): (() => void) => {
    const timer = setTimeout(() => {
      running.delete(timer);
      action();
    }, ms);
    running.add(timer);
    return () => {
      clearTimeout(timer);
      running.delete(timer);
    };
  };
  return {
    /** ms, monotonic. */
    now: (): number => performance.now(),
    setTimer,
    later: (action: () => void, ms: number): void => void setTimer(action, ms),
    end(): void {
      for (const timer of running) clearTimeout(timer);
      running.clear();
    },
  };
}
