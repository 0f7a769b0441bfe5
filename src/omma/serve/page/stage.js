// The stage: one picture or video at a time, with what was found on it, and the row of all that is shown.

import { at, make } from "./dom.js";
import { marksOn, seenOf } from "./places.js";
import { makeReel } from "./reel.js";
import { shapeOf } from "./media.js";

const LARGEST = 3; // a small picture is shown at most so many times as large
const CROWD = 18; // from so many marks on, a label is shown only where one points

/** The stage over `items`, the list of what is shown; `onremove(item)` is asked to take one away. */
export function makeStage(items, onremove) {
  const state = { media: null, turn: null, seen: false };
  const frame = at("frame");
  const reel = makeReel(at("reel"));
  const toggle = at("as-seen");

  toggle.addEventListener("click", () => {
    state.seen = !state.seen;
    draw();
  });
  new ResizeObserver(() => fit()).observe(frame);

  /** Show one of the items, or what an earlier turn was about, with the marks of that turn. */
  function show(media, turn = null) {
    if (media !== state.media) state.seen = false;
    Object.assign(state, { media, turn });
    draw();
  }

  function draw() {
    const empty = !state.media;
    at("house").toggleAttribute("data-empty", empty);
    at("welcome").hidden = !empty;
    at("view").hidden = empty;
    drawStrip();
    if (empty) {
      frame.replaceChildren();
      return;
    }
    const { media, turn } = state;
    const seen = turn && seenOf(turn, media);
    const marks = turn ? marksOn(turn, media) : [];
    drawSight(media, marks, seen);
    at("caption").textContent = `${media.name} · ${shapeOf(media)}`;
    toggle.hidden = !(seen && media.kind === "image" && media.width);
    toggle.setAttribute("aria-pressed", String(state.seen && !toggle.hidden));
    const video = frame.querySelector("video");
    reel.show(
      video,
      media,
      seen?.times ?? [],
      marks.filter((mark) => mark.kind === "span"),
    );
    watchTime(video, marks);
    fit();
  }

  function drawSight(media, marks, seen) {
    const before = frame.querySelector(".sight");
    const kept =
      before?.dataset.media === String(media.id) ? before.querySelector("img, video, .blank") : null;
    const layers = layersOf(media, marks, seen, state.turn);
    const picture =
      state.seen && seen && media.kind === "image" ? asSeen(kept ?? pictureOf(media), seen) : null;
    const sight = kept ? before : make("div.sight", { data: { media: media.id } }, pictureOf(media));
    sight.querySelectorAll("canvas, .marks, .plates").forEach((layer) => layer.remove());
    sight.append(...[picture, ...layers].filter(Boolean));
    if (!kept) frame.replaceChildren(sight);
  }

  function fit() {
    const sight = frame.querySelector(".sight");
    if (!sight || !state.media) return;
    const { width, height } = state.media.width ? state.media : { width: 420, height: 240 };
    const room = matchMedia("(max-width: 860px)").matches ? 12 : 44;
    const scale = Math.min((frame.clientWidth - room) / width, (frame.clientHeight - room) / height, LARGEST);
    sight.style.width = `${Math.max(1, width * scale)}px`;
    sight.style.height = `${Math.max(1, height * scale)}px`;
  }

  function drawStrip() {
    const strip = at("strip");
    const buttons = () => [...strip.querySelectorAll("button")];
    const held = buttons().indexOf(document.activeElement);
    strip.replaceChildren(...items.map((item, index) => thumbOf(item, index)));
    strip.hidden = items.length === 0;
    // Whoever walks by keyboard stays where they were, or comes to what took its place.
    if (held >= 0) (buttons().at(Math.min(held, buttons().length - 1)) ?? at("add")).focus();
  }

  function thumbOf(item, index) {
    const name = `${item.kind === "video" ? "Video" : "Picture"} ${index + 1}: ${item.name}`;
    return make(
      "li",
      {},
      make(
        "button.thumb",
        {
          type: "button",
          "aria-label": name,
          title: item.name,
          "aria-current": item === state.media ? "true" : null,
          onclick: () => show(item, state.turn),
        },
        stillOf(item),
      ),
      make(
        "button.drop-one",
        {
          type: "button",
          "aria-label": `Take ${item.name} away`,
          title: "Take it away",
          onclick: () => onremove(item),
        },
        "×",
      ),
    );
  }

  return {
    show,
    draw,
    seek: reel.seek,
    get media() {
      return state.media;
    },
    get turn() {
      return state.turn;
    },
  };
}

/** A small still of a picture or video. */
export function stillOf(item) {
  if (item.kind === "video")
    return make("video", {
      src: `${item.url}#t=0.1`,
      preload: "metadata",
      muted: true,
      tabindex: -1,
      "aria-hidden": "true",
    });
  return make("img", { src: item.url, alt: "" });
}

function pictureOf(media) {
  if (!media.width)
    return make(
      "p.blank",
      {},
      `${media.name}: your browser cannot show this format. The server may still read it.`,
    );
  if (media.kind === "image") return make("img", { src: media.url, alt: media.name, draggable: "false" });
  return make("video", {
    src: media.url,
    controls: true,
    playsinline: true,
    preload: "auto",
    muted: true,
    "aria-label": media.name,
  });
}

/** The picture at the size the model saw: nearly the same, since browsers shrink in their own way. */
function asSeen(picture, seen) {
  const canvas = make("canvas", {
    width: seen.resized.width,
    height: seen.resized.height,
    role: "img",
    "aria-label": "The picture at the size the model saw",
  });
  const paint = () => {
    const pen = canvas.getContext("2d");
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  };
  if (picture.complete) paint();
  else picture.addEventListener("load", paint, { once: true });
  return canvas;
}

function layersOf(media, marks, seen, turn) {
  const flat = marks.filter((mark) => mark.kind !== "span");
  const size = seen?.original ?? media;
  if (!flat.length || !size.width) return [];
  const lines = turn.task === "read" && flat.length > 0;
  const drawing = make(
    "svg.marks",
    {
      viewBox: `0 0 ${size.width} ${size.height}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `Found here: ${named(flat)}`,
    },
    flat.filter((mark) => mark.kind !== "point").map((mark) => outline(mark, media)),
  );
  drawing.classList.toggle("lines", lines);
  const plates = lines
    ? []
    : flat.filter((mark) => mark.label && mark.kind !== "point").map((mark) => plate(mark, size));
  const pins = flat.filter((mark) => mark.kind === "point").map((mark) => pin(mark, size));
  const over = make("div.plates", { "aria-hidden": "true" }, plates, pins);
  over.classList.toggle("crowded", plates.length > CROWD);
  return [drawing, over];
}

const named = (marks) =>
  marks
    .slice(0, 12)
    .map((mark) => mark.label || mark.kind)
    .join(", ");

function outline(mark, media) {
  const form =
    mark.kind === "polygon"
      ? (name) =>
          make(name ? `polygon.${name}` : "polygon", {
            points: mark.polygon.map((corner) => corner.join(",")).join(" "),
          })
      : (name) => {
          const [x1, y1, x2, y2] = mark.box;
          return make(`rect.${name}`, {
            x: x1,
            y: y1,
            width: Math.max(x2 - x1, 0.5),
            height: Math.max(y2 - y1, 0.5),
            rx: 0,
          });
        };
  const group = make(
    "g",
    { data: { mark: mark.id, time: mark.time ?? "" }, vars: { "--hue": mark.hue } },
    form("rim"),
    form("edge"),
    form("body"),
  );
  if (media.kind === "video") group.querySelector(".body").style.pointerEvents = "none";
  return group;
}

function plate(mark, size) {
  const [x, y] = mark.kind === "polygon" ? cornerOf(mark.polygon) : mark.box;
  const low = y / size.height < 0.09;
  const label = make(
    `div.plate${low ? ".below" : ""}`,
    { data: { mark: mark.id, time: mark.time ?? "" }, vars: { "--hue": mark.hue, "--on-hue": mark.ink } },
    mark.label,
  );
  label.style.left = `${(100 * Math.max(0, x)) / size.width}%`;
  label.style.top = `${(100 * y) / size.height}%`;
  return label;
}

function pin(mark, size) {
  const dot = make("div.pin", { data: { mark: mark.id }, vars: { "--hue": mark.hue }, title: mark.label });
  dot.style.left = `${(100 * mark.point[0]) / size.width}%`;
  dot.style.top = `${(100 * mark.point[1]) / size.height}%`;
  return dot;
}

const cornerOf = (corners) => [Math.min(...corners.map(([x]) => x)), Math.min(...corners.map(([, y]) => y))];

/** Marks of a moment are shown only around it. */
function watchTime(video, marks) {
  const times = [...new Set(marks.filter((mark) => mark.kind === "sighting").map((mark) => mark.time))].sort(
    (a, b) => a - b,
  );
  if (!video || !times.length) return;
  const update = () => {
    const nearest = times.reduce((best, time) =>
      Math.abs(time - video.currentTime) < Math.abs(best - video.currentTime) ? time : best,
    );
    for (const one of video.parentElement.querySelectorAll("[data-time]")) {
      if (one.dataset.time) one.toggleAttribute("hidden", Number(one.dataset.time) !== nearest);
    }
  };
  video.ontimeupdate = update;
  update();
}
