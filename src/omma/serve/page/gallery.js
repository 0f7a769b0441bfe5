// Examples for the first minute: pictures that lie beside this file, each with something to ask.

import { make } from "./dom.js";
import { taskOf } from "./tasks.js";
import { address } from "./wire.js";

const EXAMPLES = [
  { files: ["shapes.webp"], task: "ask", words: "What colour is the square?" },
  { files: ["stars.webp"], task: "find", words: "star" },
  { files: ["heading.webp"], task: "read", words: "" },
  { files: ["form.webp"], task: "point", words: "the “Save” button", sent: 'the "Save" button' },
  { files: ["garden.webp"], task: "ask", words: "Is there a car in the picture?" },
  { files: ["clip.mp4"], task: "locate", words: "the circle moves to the right" },
];

/** The examples whose task the model has words for. Choosing one asks it: `onchoose(files, task, words)`. */
export function fillGallery(list, tasks, onchoose) {
  const usable = EXAMPLES.filter((example) => tasks.some((task) => task.name === example.task));
  list.replaceChildren(...usable.map((example) => make("li", {}, card(example, onchoose))));
}

function card(example, onchoose) {
  const task = taskOf(example.task);
  const button = make(
    "button.example",
    { type: "button" },
    make("span.still", {}, still(example.files[0])),
    make("span.words", {}, make("b", {}, task.title), example.words || task.told),
  );
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      onchoose(await Promise.all(example.files.map(bytes)), task, example.sent ?? example.words);
    } finally {
      button.disabled = false;
    }
  });
  return button;
}

const still = (name) => make("img", { src: address(`page/${name.replace(".mp4", ".webp")}`), alt: "" });

async function bytes(name) {
  const reply = await fetch(address(`page/${name}`));
  const blob = await reply.blob();
  return new File([blob], name, { type: blob.type });
}
