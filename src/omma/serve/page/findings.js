// What was found, as lists that are tied to the picture: places, lines of text, spans of time, fields.

import { count, make } from "./dom.js";
import { BOX, placedParts, recordOf } from "./fields.js";
import { whereIs } from "./places.js";

/** A row for a mark; pointing at it lights it on the picture, pressing it shows that picture. */
function row(mark, turn, acts, media, words = mark.label) {
  const go = () => {
    acts.show(media, turn);
    if (mark.kind === "span") acts.seek(mark.span);
    if (mark.kind === "sighting") acts.seek([mark.time, mark.time]);
  };
  return make(
    `button.place${mark.kind === "point" ? ".point" : mark.kind === "span" ? ".moment" : ""}`,
    { type: "button", data: { mark: mark.id }, vars: { "--hue": mark.hue }, onclick: go },
    make("span", {}, words || "without a name"),
    make("span.where", {}, whereIs(mark)),
  );
}

/** Things with their places, and how many there are. */
export function found(marks, turn, acts, media) {
  const kinds = {
    box: ["box", "boxes"],
    point: ["point"],
    polygon: ["outline"],
    sighting: ["sighting"],
    span: ["span"],
  };
  const told = Object.keys(kinds)
    .map((kind) => [marks.filter((mark) => mark.kind === kind).length, kinds[kind]])
    .filter(([number]) => number)
    .map(([number, names]) => count(number, ...names));
  const several =
    turn.shown.length > 1 ? " With several pictures, places are shown as they lie in each." : "";
  return make(
    "div",
    {},
    make("p.summary", {}, make("b", {}, told.join(", ")), `, in pixels of ${media.name}.${several}`),
    make(
      "div.found",
      {},
      marks.map((mark) => row(mark, turn, acts, media)),
    ),
  );
}

/** Stretches of a video; each plays from its beginning to its end. */
export function spans(marks, turn, acts, media) {
  return make(
    "div",
    {},
    make("p.summary", {}, make("b", {}, count(marks.length, "span")), `, in seconds of ${media.name}.`),
    make(
      "div.found",
      {},
      marks.map((mark) => row(mark, turn, acts, media)),
    ),
  );
}

/** The text of a page, line by line; each line lights its place. Without places it is text all the same. */
export function lines(turn, marks, acts, media) {
  const placed = marks.filter((mark) => (mark.kind === "box" || mark.kind === "polygon") && mark.label);
  if (!placed.length)
    return [
      make(
        "div.lines",
        {},
        turn.text.trim() === "[]"
          ? "There is no text in it."
          : turn.text.split("\n").map((text) => make("p", {}, text)),
      ),
    ];
  const each = placed.map((mark) =>
    make(
      "button.line",
      { type: "button", data: { mark: mark.id }, onclick: () => acts.show(media, turn) },
      mark.label,
    ),
  );
  return [make("p.summary", {}, make("b", {}, count(placed.length, "line"))), make("div.lines", {}, each)];
}

/** Fields and their values; null where the text is no JSON. A field that has a place is tied to it. */
export function record(turn, marks, acts, media) {
  const value = recordOf(turn.text);
  if (value === undefined) return null;
  const boxes = marks.filter((mark) => mark.kind === "box");
  const placed = placedParts(value);
  const known = placed.length === boxes.length;
  const markOf = new Map(known ? placed.map(({ part }, index) => [part, boxes[index]]) : []);
  return [fieldsOf(value, (part) => markOf.get(part), turn, acts, media)];
}

function plainly(value) {
  if (value === null || value === "") return "nothing there";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function fieldsOf(value, markFor, turn, acts, media) {
  if (value === null || value === "") return make("span.nothing", {}, plainly(value));
  if (typeof value !== "object") return make("span", {}, plainly(value));
  const mark = markFor(value);
  const { [BOX]: place, ...rest } = value;
  const only = place && Object.keys(rest).length === 1 ? Object.values(rest)[0] : undefined;
  if (only !== undefined)
    return mark ? row(mark, turn, acts, media, plainly(only)) : fieldsOf(only, markFor, turn, acts, media);
  if (Array.isArray(value) && value.every((one) => one === null || typeof one !== "object"))
    return make("span", {}, value.length ? value.join(", ") : "none");
  const pairs = Array.isArray(value)
    ? value.map((one, index) => [String(index + 1), one])
    : Object.entries(value);
  return make(
    "dl.record",
    {},
    pairs.flatMap(([name, one]) => [
      make("dt", {}, name),
      make("dd", {}, fieldsOf(one, markFor, turn, acts, media)),
    ]),
  );
}
