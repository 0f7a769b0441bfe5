// The fields to extract: written one to a line, or as a JSON Schema for those who want to say more.

import { make } from "./dom.js";

const TYPES = ["text", "number", "integer", "yes/no", "list"];
const FIRST = "title\ndate\ntotal: number";

/** The editor in `root`, and what it says: `schema`, `names`, `places` (wanted with each field), `wrong`. */
export function makeShape(root) {
  const state = { mode: "fields", fields: FIRST, schema: "", places: false };
  const text = make("textarea", { id: "shape-text", spellcheck: "false", autocomplete: "off" });
  const name = make("label.unseen", { for: "shape-text" });
  const wrong = make("p.wrongly", { role: "status", id: "shape-wrong" });
  const tellPlaces = make("input", { type: "checkbox", id: "shape-places" });
  const places = make("label", { for: "shape-places" }, tellPlaces, "with places");
  const modes = { fields: modeButton("fields", "Fields"), schema: modeButton("schema", "JSON Schema") };
  text.setAttribute("aria-describedby", "shape-wrong");
  root.append(make("div.heads", {}, modes.fields, modes.schema, places), name, text, wrong);
  text.addEventListener("input", () => {
    state[state.mode] = text.value;
    check();
  });
  tellPlaces.addEventListener("change", () => (state.places = tellPlaces.checked));
  turn("fields");

  function modeButton(mode, title) {
    return make("button.quiet", { type: "button", onclick: () => turn(mode) }, title);
  }

  function turn(mode) {
    if (mode === "schema" && !state.schema)
      state.schema = JSON.stringify(schemaOf(fieldsIn(state.fields)), null, 2);
    state.mode = mode;
    for (const [each, button] of Object.entries(modes))
      button.setAttribute("aria-pressed", String(each === mode));
    name.textContent = mode === "fields" ? "Fields, one to a line" : "JSON Schema";
    places.hidden = mode === "schema";
    text.value = state[mode];
    check();
  }

  function check() {
    wrong.textContent = read().wrong ?? "";
    text.setAttribute("aria-invalid", String(Boolean(wrong.textContent)));
  }

  function read() {
    return state.mode === "fields" ? readFields(state.fields, state.places) : readSchema(state.schema);
  }

  for (const button of Object.values(modes))
    button.addEventListener("click", () => root.classList.remove("folded"));

  return {
    /** Make room for the answer, where there is little; the buttons show the editor again. */
    fold() {
      root.classList.add("folded");
    },
    get schema() {
      return read().schema;
    },
    get names() {
      return read().names;
    },
    get places() {
      return state.mode === "fields" && state.places;
    },
    get wrong() {
      return read().wrong ?? null;
    },
    fill(fields, withPlaces = false) {
      Object.assign(state, { fields, places: withPlaces, schema: "" });
      tellPlaces.checked = withPlaces;
      turn("fields");
    },
  };
}

function fieldsIn(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [name, ...type] = line.split(":");
      return { name: name.trim(), type: type.join(":").trim() || "text" };
    });
}

function readFields(text, places) {
  const fields = fieldsIn(text);
  const odd = fields.find((field) => !TYPES.includes(field.type));
  if (!fields.length) return { wrong: "Write the fields, one to a line: a name, or a name and its type." };
  if (odd) return { wrong: `“${odd.type}” is no type; wanted ${TYPES.join(", ")}, as in “total: number”.` };
  if (fields.some((field) => !field.name))
    return { wrong: "A line has a type and no name; write it as “total: number”." };
  const names = fields.map((field) => field.name);
  if (new Set(names).size < names.length) return { wrong: "A name stands twice; take one of them out." };
  return { schema: schemaOf(fields, places), names };
}

function readSchema(text) {
  try {
    const schema = JSON.parse(text);
    if (schema === null || typeof schema !== "object" || Array.isArray(schema))
      throw new SyntaxError("it is not an object");
    return { schema, names: Object.keys(schema.properties ?? {}) };
  } catch (error) {
    return { wrong: `This is not a JSON Schema yet: ${error.message}.` };
  }
}

/** Fields as a schema. With places each is a value and the box that the server reads to pixels. */
function schemaOf(fields, places = false) {
  const properties = Object.fromEntries(
    fields.map(({ name, type }) => [name, places ? placed(kind(type)) : kind(type)]),
  );
  return {
    type: "object",
    properties,
    required: fields.map((field) => field.name),
    additionalProperties: false,
  };
}

function kind(type) {
  if (type === "list") return { type: "array", items: { type: "string" } };
  return {
    type: [{ text: "string", number: "number", integer: "integer", "yes/no": "boolean" }[type], "null"],
  };
}

function placed(value) {
  const corners = { type: "array", items: { type: "integer", minimum: 0 }, minItems: 4, maxItems: 4 };
  return {
    type: "object",
    properties: { value, bbox_2d: corners },
    required: ["value", "bbox_2d"],
    additionalProperties: false,
  };
}
