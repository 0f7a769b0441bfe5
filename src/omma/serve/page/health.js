// Whether the server is there, which models it has, and whether it wants a key. If away, it is asked again.

import { announce, at, make } from "./dom.js";
import { alive, models } from "./wire.js";

const AGAIN = 3000; // milliseconds between two knocks on a closed door

/** Watches the server. `onmodel(card)` is told which model is chosen, `onlocked()` that a key is wanted. */
export function makeHealth({ onmodel, onlocked }) {
  const state = { cards: [], card: null, wrong: "The server has not answered yet." };
  const select = at("model");
  select.addEventListener("change", () => choose(state.cards[select.selectedIndex]));

  async function ask() {
    try {
      state.cards = await models();
    } catch (error) {
      if (error.status === 0) away();
      else locked(error);
      return;
    }
    if (!state.cards.length) return show("away", "No model", "The server has no model to ask.");
    select.replaceChildren(...state.cards.map((card) => make("option", {}, card.id)));
    select.disabled = state.cards.length < 2;
    const before = state.cards.find((card) => card.id === state.card?.id);
    show("ready", "Ready", null);
    if (!before) choose(state.cards[0]);
    else select.selectedIndex = state.cards.indexOf(before);
    return undefined;
  }

  function choose(card) {
    state.card = card;
    onmodel(card);
  }

  function show(name, words, wrong) {
    at("health").dataset.health = name;
    at("health-words").textContent = words;
    at("offline").hidden = name !== "away";
    state.wrong = wrong;
  }

  function away() {
    const news = at("health").dataset.health !== "away";
    show("away", "Away", "The server does not answer. What you wrote stays here until it is back.");
    if (news) knock();
  }

  async function knock() {
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
    if (!(await alive())) return knock();
    announce("The server is back");
    at("health").dataset.health = "";
    return ask();
  }

  function locked(error) {
    const key = error.status === 401 || error.status === 403;
    show("locked", key ? "Wants a key" : "Not ready", error.message);
    if (key) onlocked();
    else setTimeout(ask, AGAIN);
  }

  return {
    ask,
    get card() {
      return state.card;
    },
    get wrong() {
      return state.wrong;
    },
  };
}
