// The clock of a video: the frames the model was shown as ticks, the spans it found as blocks that seek.

import { clock, make } from "./dom.js";
import { whereIs } from "./places.js";

/** The clock in `root`. `show` draws it for a video element, `seek` jumps there and plays to a span's end. */
export function makeReel(root) {
  let video = null;
  let until = null;
  let drawn = null;

  function seek(span) {
    if (!video) return;
    video.currentTime = span[0];
    until = span[1] > span[0] ? span[1] : null;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches && until !== null)
      video.play().catch(() => {});
  }

  function show(shown, media, times, spans) {
    root.hidden = !shown || !media.seconds;
    const key = root.hidden ? null : JSON.stringify([media.id, times, spans.map((span) => span.id)]);
    if (key === drawn && video === shown) return;
    [video, drawn, until] = [shown, key, null];
    if (root.hidden) {
      root.replaceChildren();
      return;
    }
    const share = (second) => `${(100 * Math.min(Math.max(second / media.seconds, 0), 1)).toFixed(3)}%`;
    const now = make("div.now");
    root.replaceChildren(
      track(media, times, now, share),
      ...lanesOf(spans).map((lane) =>
        make(
          "div.lane",
          {},
          lane.map((span) => block(span, share)),
        ),
      ),
      make(
        "div.hours",
        {},
        make("span", {}, clock(0)),
        make("span", {}, framesTold(times)),
        make("span", {}, clock(Number(media.seconds.toFixed(1)))),
      ),
    );
    follow(now, share);
  }

  function track(media, times, now, share) {
    const ticks = times.map((time) => {
      const tick = make("div.tick");
      tick.style.left = share(time);
      return tick;
    });
    const bar = make("div.track", { "aria-hidden": "true" }, ticks, now);
    bar.addEventListener("click", (event) => {
      const box = bar.getBoundingClientRect();
      seek([((event.clientX - box.left) / box.width) * media.seconds, 0]);
    });
    return bar;
  }

  function block(span, share) {
    const [start, end] = span.span;
    const button = make(
      "button.span",
      {
        type: "button",
        data: { mark: span.id, start, end },
        vars: { "--hue": span.hue, "--on-hue": span.ink },
        "aria-label": `${span.label || "Found"}, ${whereIs(span)}: go there`,
        onclick: () => seek(span.span),
      },
      span.label || whereIs(span),
    );
    button.style.left = share(start);
    button.style.width = `calc(${share(end)} - ${share(start)})`;
    return button;
  }

  function follow(now, share) {
    const step = () => {
      if (!now.isConnected) return;
      now.style.left = share(video.currentTime);
      if (until !== null && video.currentTime >= until) {
        video.pause();
        until = null;
      }
      if (!video.paused) requestAnimationFrame(step);
    };
    for (const event of ["play", "seeked", "timeupdate"]) video.addEventListener(event, step);
    step();
  }

  return { show, seek };
}

const framesTold = (times) => (times.length ? `${times.length} frames were shown to the model` : "");

/** Spans in rows in which none lies over another, in their order. */
function lanesOf(spans) {
  const lanes = [];
  for (const span of spans) {
    const free = lanes.find((lane) =>
      lane.every((other) => other.span[1] <= span.span[0] || span.span[1] <= other.span[0]),
    );
    if (free) free.push(span);
    else lanes.push([span]);
  }
  return lanes;
}
