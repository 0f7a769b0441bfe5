// What the server says was found where, as marks to draw and list. No number is read out of a text here.

import { placedParts, recordOf } from "./fields.js";

// Okabe and Ito's colours, which people who see few colours tell apart, with the ink that is legible on each.
const HUES = [
  ["#c04f00", "#fff"],
  ["#0072b2", "#fff"],
  ["#00795a", "#fff"],
  ["#cc79a7", "#000"],
  ["#e69f00", "#000"],
  ["#56b4e9", "#000"],
  ["#f0e442", "#000"],
];

/** Which colour each label has, in the order in which labels first come. */
function hues(labels) {
  const order = [...new Set(labels)];
  return (label) => HUES[order.indexOf(label) % HUES.length];
}

/**
 * The marks of one picture or video in an answer, `{id, kind, label, hue, ink, …}`: "box" has `box`, "point"
 * with `point`, "polygon" with `polygon` in pixels of the original, "span" with `span` and "sighting" with
 * `box` and `time` in seconds. The id is the same for the same thing on every picture.
 */
export function marksOn(turn, media) {
  const index = turn.shown.indexOf(media);
  const entry = turn.omma?.geometry?.shown?.find((one) => one.index === index);
  if (!entry) return [];
  const told = [
    ...(entry.spans ?? []).map((one) => ({ kind: "span", span: one.span, ...one })),
    ...(entry.sightings ?? []).map((one) => ({ kind: "sighting", ...one })),
    ...(entry.sightings?.length ? [] : (entry.boxes ?? [])).map((one) => ({ kind: "box", ...one })),
    ...(entry.polygons ?? []).map((one) => ({ kind: "polygon", ...one })),
    ...(entry.points ?? []).map((one) => ({ kind: "point", ...one })),
  ];
  nameFields(turn, told);
  const numbers = {};
  const colour = turn.task === "read" ? () => HUES[1] : hues(told.map((one) => one.label || ""));
  return told.map((one) => {
    const number = (numbers[one.kind] = (numbers[one.kind] ?? 0) + 1);
    const [hue, ink] = colour(one.label || "");
    return { ...one, id: `${turn.id}-${one.kind}-${number}`, label: one.label || turn.wish || "", hue, ink };
  });
}

/** In a record a place is called as its field is: places come in the order of the parts that have them. */
function nameFields(turn, told) {
  if (turn.task !== "extract") return;
  const names = placedParts(recordOf(turn.text)).map(({ name }) => name);
  const boxes = told.filter((one) => one.kind === "box");
  if (names.length === boxes.length) boxes.forEach((one, index) => (one.label = names[index]));
}

/** The picture or video whose marks an answer's list shows: the newest that has any, else the newest. */
export function mainMedia(turn) {
  const own = turn.media.filter((media) => turn.shown.includes(media));
  return own.find((media) => marksOn(turn, media).length) ?? own[0] ?? turn.shown.at(-1) ?? null;
}

/** What the server says it saw of a picture or video: sizes as {width, height}, seconds of frames. */
export function seenOf(turn, media) {
  const index = turn.shown.indexOf(media);
  const entry = turn.omma?.seen?.[index];
  return entry ? { ...entry, original: size(entry.original), resized: size(entry.resized) } : null;
}

function size(told) {
  return Array.isArray(told) ? { width: told[0], height: told[1] } : told;
}

/** Where a mark lies, in few words. */
export function whereIs(mark) {
  const round = (number) => Math.round(number);
  if (mark.kind === "span") return `${second(mark.span[0])} – ${second(mark.span[1])} s`;
  if (mark.kind === "point") return `${round(mark.point[0])}, ${round(mark.point[1])}`;
  if (mark.kind === "polygon") return `${mark.polygon.length} corners`;
  const [x1, y1, x2, y2] = mark.box.map(round);
  const box = `${x1}, ${y1} – ${x2}, ${y2}`;
  return mark.kind === "sighting" ? `${second(mark.time)} s · ${box}` : box;
}

const second = (number) => String(Math.round(number * 10) / 10);

/**
 * Lighting a mark wherever it is shown: `data-mark` is its id, on the picture, in the list and on the clock.
 * Pointing at one or walking to it by keyboard lights them all.
 */
export function linkMarks(root) {
  const light = (id) => {
    for (const one of root.querySelectorAll("[data-mark]"))
      one.classList.toggle("lit", one.dataset.mark === id);
    for (const layer of root.querySelectorAll(".marks, .plates")) {
      layer.classList.toggle("dimmed", Boolean(id && layer.querySelector(".lit")));
    }
  };
  const idOf = (event) => event.target.closest?.("[data-mark]")?.dataset.mark ?? null;
  root.addEventListener("pointerover", (event) => light(idOf(event)));
  root.addEventListener("pointerleave", () => light(null));
  root.addEventListener("focusin", (event) => light(idOf(event)));
  root.addEventListener("focusout", () => light(null));
}
