// An extracted record: its JSON, and which of its fields the request asked to have a place.

export const BOX = "bbox_2d"; // the key by which shape.js asks for a place

/** The JSON of an answer; undefined where the text is none. */
export function recordOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The parts of a record that have a place, in the order of the text, by name: `[{name, part}]`. */
export function placedParts(value, name = "") {
  if (value === null || typeof value !== "object") return []; // no JSON at all is undefined
  const own = !Array.isArray(value) && BOX in value ? [{ name, part: value }] : [];
  const titled = (key) => (Array.isArray(value) ? `${name} ${Number(key) + 1}`.trim() : key);
  return [...own, ...Object.entries(value).flatMap(([key, child]) => placedParts(child, titled(key)))];
}
