// How to answer, how to look, and the key: in a sheet. All but the key is kept from visit to visit.

import { at, make } from "./dom.js";
import { key } from "./wire.js";

const KEPT = "omma.settings";
const FIRST = { temperature: null, max_tokens: 1024, seed: null, detail: "auto", remember: true };

const NUMBERS = [
  {
    name: "max_tokens",
    title: "Longest answer",
    note: "In tokens. A page of print takes some hundreds.",
    least: 1,
    most: 1_000_000,
    step: 1,
  },
  {
    name: "temperature",
    title: "Temperature",
    note: "0 always takes the likeliest word; higher is freer. Empty: as the model wishes.",
    least: 0,
    most: 2,
    step: "any",
  },
  {
    name: "seed",
    title: "Seed",
    note: "The same seed draws the same answer again. Empty: another each time.",
    least: 0,
    most: 2 ** 31,
    step: 1,
  },
];

/** The sheet, and what it holds: `sampling`, `detail`, `remember`. `onkey` is called when the key changes. */
export function makeSettings(sheet, onkey) {
  const values = { ...FIRST, ...kept() };
  sheet.append(head(), ...NUMBERS.map(number), detail(), remember(), secret());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

  function keep(name, value) {
    values[name] = value;
    localStorage.setItem(KEPT, JSON.stringify(values));
  }

  function head() {
    const close = make("button.quiet", { type: "button", onclick: () => sheet.close() }, "Done");
    return make("header", {}, make("h2", { id: "settings-name" }, "Settings"), close);
  }

  function number({ name, title, note, least, most, step }) {
    const input = make("input", {
      id: `set-${name}`,
      type: "number",
      min: least,
      max: most,
      step,
      inputmode: "decimal",
      placeholder: "not set",
      value: values[name] ?? "",
      "aria-describedby": `note-${name}`,
    });
    input.addEventListener(
      "input",
      () => input.checkValidity() && keep(name, input.value === "" ? null : Number(input.value)),
    );
    return make(
      "div.setting",
      {},
      make("label", { for: input.id }, title),
      input,
      make("small", { id: `note-${name}` }, note),
    );
  }

  function detail() {
    const choices = [
      ["auto", "Automatic"],
      ["low", "Low"],
      ["high", "High"],
    ];
    const select = make(
      "select",
      { id: "set-detail", "aria-describedby": "note-detail" },
      choices.map(([value, title]) => make("option", { value }, title)),
    );
    select.value = values.detail;
    select.addEventListener("change", () => keep("detail", select.value));
    const note = make(
      "small",
      { id: "note-detail" },
      "Low shows pictures with at most 512 × 512 pixels: fewer tokens, sooner an answer.",
    );
    return make("div.setting", {}, make("label", { for: "set-detail" }, "Detail of pictures"), select, note);
  }

  function remember() {
    const box = make("input", {
      id: "set-remember",
      type: "checkbox",
      checked: values.remember,
      "aria-describedby": "note-remember",
    });
    box.addEventListener("change", () => keep("remember", box.checked));
    const note = make(
      "small",
      { id: "note-remember" },
      "A question is asked together with all that was said before. Other tasks are always asked alone.",
    );
    return make(
      "div.setting",
      {},
      make("label", { for: "set-remember" }, "Remember the conversation"),
      box,
      note,
    );
  }

  function secret() {
    const input = make("input", {
      id: "set-key",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      value: key.get(),
      placeholder: "none",
      "aria-describedby": "note-key",
    });
    input.addEventListener("change", () => {
      key.set(input.value.trim());
      onkey();
    });
    const note = make(
      "small",
      { id: "note-key" },
      "Only if the server was started with keys. Kept until this tab is closed, sent to this server only.",
    );
    const form = make("form.setting.broad", {
      "aria-label": "Key",
      onsubmit: (event) => event.preventDefault(),
    });
    form.append(make("label", { for: "set-key" }, "API key"), input, note);
    return form;
  }

  return {
    get sampling() {
      return { max_tokens: values.max_tokens, temperature: values.temperature, seed: values.seed };
    },
    get detail() {
      return values.detail;
    },
    get remember() {
      return values.remember;
    },
    open(field = null) {
      sheet.showModal();
      if (field) at(field).focus();
    },
  };
}

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return Object.fromEntries(Object.entries(found).filter(([name]) => name in FIRST));
  } catch {
    return {};
  }
}

const THEMES = ["system", "light", "dark"];

/** The button that goes from the system's theme to light to dark. */
export function makeTheme(button) {
  const now = () => document.documentElement.dataset.theme ?? "system";
  const tell = () => {
    const words = now() === "system" ? "as the system" : now();
    button.setAttribute("aria-label", `Theme: ${words}`);
    button.title = `Theme: ${words}`;
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(now()) + 1) % THEMES.length];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    if (next === "system") localStorage.removeItem("omma.theme");
    else localStorage.setItem("omma.theme", next);
    tell();
  });
  tell();
}
