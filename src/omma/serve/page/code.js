// The same request as a program: for the shell, for Python, and as the JSON that was sent.

import { copy, make } from "./dom.js";
import { address } from "./wire.js";

const LONGEST = 96; // letters of a data: address that are shown

/** The sheet that shows a turn as code. */
export function makeCode(sheet) {
  const program = make("pre.program", {
    tabindex: 0,
    id: "program",
    role: "tabpanel",
    "aria-label": "Program",
  });
  const tabs = make("div.tabs", { role: "tablist", "aria-label": "Language" });
  const note = make("span");
  const take = make(
    "button.firm",
    { type: "button", onclick: () => copy(program.textContent, take) },
    "Copy",
  );
  const close = make("button.quiet", { type: "button", onclick: () => sheet.close() }, "Done");
  sheet.append(
    make("header", {}, make("h2", { id: "code-name" }, "The same as code"), close),
    tabs,
    program,
    make("footer", {}, take, note),
  );
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

  function open(turn) {
    const forms = {
      curl: curl(turn),
      Python: python(turn),
      JSON: JSON.stringify(shortened(turn.body), null, 2),
    };
    const choose = (name) => {
      program.textContent = forms[name];
      note.textContent =
        name === "JSON"
          ? "Pictures are shown cut short."
          : "Run it where the files lie; put the server's key, if it has one, into OMMA_KEY.";
      for (const tab of tabs.children) {
        tab.setAttribute("aria-selected", String(tab.textContent === name));
        tab.tabIndex = tab.textContent === name ? 0 : -1;
      }
    };
    tabs.replaceChildren(
      ...Object.keys(forms).map((name) =>
        make(
          "button.quiet",
          { type: "button", role: "tab", "aria-controls": "program", onclick: () => choose(name) },
          name,
        ),
      ),
    );
    tabs.onkeydown = (event) => walk(event, tabs);
    choose("Python");
    sheet.showModal();
  }

  return { open };
}

function walk(event, tabs) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...tabs.children];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next.focus();
  next.click();
}

/** The body with `place(media, index)` where each medium stands; media are in the order of the turn. */
function withMedia(turn, place) {
  const body = structuredClone(turn.body);
  let at = 0;
  for (const message of body.messages) {
    for (const part of Array.isArray(message.content) ? message.content : []) {
      const source = part.image_url ?? part.video_url;
      if (source) source.url = place(turn.shown[at], at++);
    }
  }
  return body;
}

const shortened = (body) =>
  JSON.parse(
    JSON.stringify(body, (name, value) =>
      name === "url" && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value,
    ),
  );

const quoted = (text) => `'${text.replaceAll("'", `'"'"'`)}'`;

function curl(turn) {
  const mark = (index) => `@medium-${index}@`;
  const body = withMedia(turn, (media, index) => mark(index));
  delete body.stream;
  delete body.stream_options;
  let data = quoted(JSON.stringify(body, null, 2));
  turn.shown.forEach((media, index) => {
    data = data.replace(
      mark(index),
      () => `data:${media.type};base64,'"$(base64 -w0 ${quoted(media.name)})"'`,
    );
  });
  return [
    `curl ${address("v1/chat/completions")} \\`,
    '  -H "Authorization: Bearer $OMMA_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  --data-binary @- <<< ${data}\n`,
  ].join("\n");
}

const DATA = [
  "",
  "",
  "def data(path: str, kind: str) -> str:",
  "    raw = base64.b64encode(Path(path).read_bytes()).decode()",
  '    return f"data:{kind};base64,{raw}"',
  "",
];

function python(turn) {
  const {
    model,
    messages,
    stream,
    stream_options: usage,
    ...options
  } = withMedia(turn, (media, index) => `@medium-${index}@`);
  let said = literal(messages, 1);
  turn.shown.forEach((media, index) => {
    said = said.replace(
      `"@medium-${index}@"`,
      () => `data(${JSON.stringify(media.name)}, ${JSON.stringify(media.type)})`,
    );
  });
  const more = Object.entries(options)
    .map(([name, value]) => `    ${name}=${literal(value, 1)},\n`)
    .join("");
  const head = turn.shown.length ? ["import base64", "import os", "from pathlib import Path"] : ["import os"];
  const lines = [
    ...head,
    "",
    "from openai import OpenAI",
    ...(turn.shown.length ? DATA : []),
    "",
    `client = OpenAI(base_url=${JSON.stringify(address("v1"))}, api_key=os.environ.get("OMMA_KEY", "none"))`,
    "answer = client.chat.completions.create(",
    `    model=${JSON.stringify(model)},`,
    `    messages=${said},`,
    `${more})`,
    "print(answer.choices[0].message.content)",
    'print(answer.model_extra["omma"])  # places in pixels, what was seen, seconds by stage',
  ];
  return `${lines.join("\n")}\n`;
}

/** A value as Python writes it. */
function literal(value, depth) {
  const [pad, end] = ["    ".repeat(depth + 1), "    ".repeat(depth)];
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const flat = JSON.stringify(value);
  const entries = Array.isArray(value)
    ? value.map((one) => literal(one, depth + 1))
    : Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one, depth + 1)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (flat.length < 70) return open + entries.join(", ") + close;
  return `${open}\n${entries.map((entry) => `${pad}${entry},\n`).join("")}${end}${close}`;
}
