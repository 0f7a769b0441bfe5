// The page as a whole: what is shown, what was asked, and the one answer that is being written.

import { announce, at, count, make } from "./dom.js";
import { fillGallery } from "./gallery.js";
import { bring, catchDrops } from "./media.js";
import { linkMarks, mainMedia, marksOn } from "./places.js";
import { makeCode } from "./code.js";
import { makeComposer } from "./composer.js";
import { makeHealth } from "./health.js";
import { makeLog } from "./turns.js";
import { makeSettings, makeTheme } from "./settings.js";
import { makeStage } from "./stage.js";
import { missing, offered, request, taskOf } from "./tasks.js";
import { answer, Refused } from "./wire.js";

const items = []; // what is shown to the model, in its order
const turns = []; // what was asked and answered
let remembered = 0; // the first turn that is still told to the model
let running = null; // the AbortController of the answer that is being written

makeTheme(at("theme"));
const settings = makeSettings(at("settings"), () => health.ask());
const code = makeCode(at("code"));
const stage = makeStage(items, remove);
const acts = {
  show: stage.show,
  seek: stage.seek,
  again,
  code: code.open,
  unlock: () => settings.open("set-key"),
};
const log = makeLog(at("log"), acts);
const composer = makeComposer({
  items,
  stage,
  onask: (task, words) => ask(task, words),
  onstop: () => running?.abort(),
});
const health = makeHealth({ onmodel: offer, onlocked: () => settings.open("set-key") });

linkMarks(at("house"));
catchDrops(at("drop"), add);
at("files").addEventListener("change", () => {
  add([...at("files").files]);
  at("files").value = "";
});
for (const id of ["add", "choose"]) at(id).addEventListener("click", () => at("files").click());
at("open-settings").addEventListener("click", () => settings.open());
at("anew").addEventListener("click", anew);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running && !document.querySelector("dialog[open]")) running.abort();
});
stage.draw();
health.ask();

/** A model is there: its tasks, its examples. */
function offer(card) {
  composer.offer(card);
  fillGallery(at("gallery"), offered(card), async (files, task, words) => {
    if (!(await add(files))) return;
    composer.choose(task);
    ask(task, words);
  });
  at("tasks-told").replaceChildren(
    ...offered(card).flatMap((task) => [make("dt", {}, task.title), make("dd", {}, task.told)]),
  );
}

/** Show files beside what is shown. False where none of them was a picture or a video. */
async function add(files) {
  const brought = await Promise.all(files.map(bring));
  const odd = files.filter((file, index) => !brought[index]);
  const good = brought.filter(Boolean);
  items.push(...good);
  if (good.length) stage.show(good[0]);
  at("anew").hidden = !items.length && !turns.length;
  if (odd.length)
    composer.say(
      `${odd.map((file) => file.name).join(", ")} is no picture or video; wanted PNG, JPEG, MP4 or the like.`,
      true,
    );
  else composer.say("");
  composer.refresh();
  if (good.length)
    announce(`${count(good.length, "file")} added: ${good.map((item) => item.name).join(", ")}`);
  return good.length > 0;
}

/** Take one away. What the model was told with it is not told again. */
function remove(item) {
  items.splice(items.indexOf(item), 1);
  if (turns.slice(remembered).some((turn) => turn.shown.includes(item))) forget();
  if (!items.length && !turns.length) anew();
  else if (stage.media === item) stage.show(items[0] ?? item, stage.turn);
  else stage.draw();
  composer.refresh();
  announce(`${item.name} was taken away`);
}

function forget() {
  if (remembered < turns.length) log.fresh();
  remembered = turns.length;
}

function anew() {
  running?.abort();
  const old = new Set([...items, ...turns.flatMap((turn) => turn.shown)]);
  items.length = turns.length = remembered = 0;
  log.clear();
  stage.show(null);
  for (const item of old) URL.revokeObjectURL(item.url);
  at("anew").hidden = true;
  composer.clear();
}

async function ask(task, words, shown = null) {
  const looked = shown ?? {
    items: [...items],
    media: items.includes(stage.media) ? stage.media : (items[0] ?? null),
  };
  const wrong = running
    ? "Wait for the answer, or stop it first."
    : (missing(task, words, looked.items, looked.media, composer.shape) ?? health.wrong);
  if (wrong) {
    composer.say(wrong, true);
    return;
  }
  const before = turns
    .slice(remembered)
    .filter((turn) => turn.text && (turn.state === "done" || turn.state === "stopped"));
  const card = health.card;
  let asked;
  try {
    asked = await request({ card, task, words, ...looked, before, settings, shape: composer.shape });
  } catch (error) {
    composer.say(error.message, true);
    return;
  }
  const turn = {
    id: turns.length + 1,
    task: task.name,
    words: words.trim(),
    wish: task.wish && task.name !== "ask" ? words.trim() : "",
    looked,
    ...asked,
    text: "",
    thoughts: "",
    state: "coming",
    began: performance.now(),
  };
  turns.push(turn);
  at("anew").hidden = false;
  at("house").removeAttribute("data-empty");
  log.add(turn);
  composer.begin();
  await write(turn);
}

/** Ask the same once more, of the same pictures. */
function again(turn) {
  ask(taskOf(turn.task), turn.words, turn.looked);
}

async function write(turn) {
  running = new AbortController();
  document.documentElement.toggleAttribute("data-busy", true);
  announce("Answering");
  try {
    for await (const piece of answer(turn.body, running.signal)) take(turn, piece);
    turn.state = "done";
  } catch (error) {
    turn.state = error.name === "AbortError" ? "stopped" : "wrong";
    if (turn.state === "wrong")
      turn.error =
        error instanceof Refused
          ? error
          : new Refused(`The page met something it does not know: ${error.message}`);
    if (turn.error && !(error instanceof Refused)) console.error(error);
  } finally {
    running = null;
    turn.took = (performance.now() - turn.began) / 1000;
    document.documentElement.toggleAttribute("data-busy", false);
    finish(turn);
  }
}

function take(turn, piece) {
  const delta = piece.choices?.[0]?.delta ?? {};
  turn.text += delta.content ?? "";
  turn.thoughts += delta.reasoning_content ?? "";
  if (piece.usage) turn.usage = piece.usage;
  if (piece.omma) [turn.omma, turn.finish] = [piece.omma, piece.omma.finish_reason];
  log.update(turn);
}

function finish(turn) {
  log.update(turn);
  composer.end(turn);
  const media = mainMedia(turn);
  if (turn.state === "done" && media) stage.show(media, turn);
  if (turn.error?.status === 0) health.ask();
  announce(summary(turn, media));
}

/** What a listener hears when an answer is there. */
function summary(turn, media) {
  if (turn.state === "wrong") return "";
  if (turn.state === "stopped") return "Stopped";
  const marks = media ? marksOn(turn, media) : [];
  if (turn.task === "read" || !marks.length) return turn.text || "The model said nothing";
  return `${count(marks.length, "place")} found: ${marks.map((mark) => mark.label || mark.kind).join(", ")}`;
}
