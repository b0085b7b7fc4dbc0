// Makes the clock of this process, or of this page, wrong by a number of milliseconds, as clocks of clients are.
"use strict";

(() => {
  const skewMs = Number(globalThis.SKEW_MS ?? globalThis.process?.env.SKEW_MS ?? 0);
  const Right = Date;
  const now = () => Right.now() + skewMs;
  globalThis.Date = new Proxy(Right, {
    construct: (target, values, made) => Reflect.construct(target, values.length ? values : [now()], made),
    apply: () => new Right(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
})();
