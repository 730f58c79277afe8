// Reads from a trace of Chromium how long the page kept its main thread.

/**
 * Runs `act` under a trace. The tasks of the page's main thread in milliseconds: `longest` by the processor's
 * time, since what other processes take of it says nothing of the page, and `elapsed` by the clock.
 */
export async function longTasks(browser, page, act) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const named = traceEvents.filter((event) => event.name === "thread_name" && event.args.name === "CrRendererMain");
  const mains = new Set(named.map(({ pid, tid }) => `${pid}/${tid}`));
  const tasks = traceEvents.filter((event) => event.ph === "X" && event.name === "RunTask" && mains.has(`${event.pid}/${event.tid}`));
  if (tasks.some((task) => task.tdur === undefined)) throw new Error("the trace does not say what a task took of the processor");
  const most = (times) => Math.max(0, ...times.map((micros) => micros / 1000));
  return { count: tasks.length, longest: most(tasks.map((task) => task.tdur)), elapsed: most(tasks.map((task) => task.dur)) };
}
