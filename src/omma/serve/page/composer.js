// Where one writes: the tasks, the words, the fields to extract, and what is amiss.

import { at, make } from "./dom.js";
import { makeShape } from "./shape.js";
import { offered, taskOf } from "./tasks.js";

/** The form. `onask(task, words)` is told what is wanted, `onstop()` that it is not any more. */
export function makeComposer({ items, stage, onask, onstop }) {
  const words = at("words");
  const shape = makeShape(at("shape"));
  let task = taskOf("ask");

  at("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    onask(task, task.wish ? words.value : "");
  });
  at("stop").addEventListener("click", onstop);
  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      at("composer").requestSubmit();
    }
  });
  words.addEventListener("input", () => say(""));

  /** Offer the tasks that a model has words for. */
  function offer(card) {
    const tasks = offered(card);
    if (!tasks.includes(task)) task = tasks[0];
    const legend = at("tasks").firstElementChild;
    at("tasks").replaceChildren(legend, ...tasks.map(choice));
    say("");
    refresh();
  }

  function choice(one) {
    const input = make("input", {
      type: "radio",
      name: "task",
      value: one.name,
      checked: one === task,
      onchange: () => choose(one),
    });
    return make("label", { title: one.told }, input, make("span", {}, one.title));
  }

  function choose(one) {
    task = one;
    for (const input of at("tasks").querySelectorAll("input")) input.checked = input.value === one.name;
    say("");
    refresh();
  }

  function refresh() {
    const [wordless, stops] = [at("wordless"), !at("stop").hidden];
    words.hidden = !task.wish;
    wordless.hidden = Boolean(task.wish);
    wordless.textContent = task.hint;
    words.placeholder = task.hint;
    at("words-name").textContent = task.wish ?? "Words";
    at("shape").hidden = task.name !== "extract";
    at("send").textContent = task.title;
    at("send").hidden = stops;
    if (task.one && items.length > 1 && stage.media)
      say(`${task.title} looks at the one on the stage: ${stage.media.name}.`);
  }

  function say(text, bad = false) {
    at("hint").replaceChildren(text || (task.wish ? keys() : ""));
    at("hint").classList.toggle("bad", bad);
    words.setAttribute("aria-invalid", String(bad));
  }

  function begin() {
    const held = document.activeElement === at("send");
    words.value = "";
    say("");
    shape.fold();
    [at("send").hidden, at("stop").hidden] = [true, false];
    if (held) at("stop").focus();
  }

  function end() {
    const held = document.activeElement === at("stop") || document.activeElement === document.body;
    [at("send").hidden, at("stop").hidden] = [false, true];
    if (held) (words.hidden ? at("send") : words).focus({ preventScroll: true });
    refresh();
  }

  function clear() {
    say("");
    refresh();
    if (!words.hidden) words.focus();
  }

  return { offer, choose, refresh, say, begin, end, clear, shape };
}

/** Which keys do what; on a narrow screen there are none to speak of. */
function keys() {
  const key = (name) => make("kbd", {}, name);
  return make(
    "span.keys",
    {},
    key("Enter"),
    " sends, ",
    key("Shift Enter"),
    " begins a line, ",
    key("Esc"),
    " stops.",
  );
}
