// What can be seen of a page in its window: words with their boxes, and what can be clicked.
(() => {
  const wide = innerWidth, high = innerHeight;
  const visible = (el) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const onTop = (el, box) => {
    const hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    return hit !== null && (hit === el || el.contains(hit) || hit.contains(el));
  };
  const near = (box) => box.bottom > 0 && box.top < high && box.right > 0 && box.left < wide && box.width > 0;
  const inside = (box) => box.left >= 0 && box.top >= 0 && box.right <= wide && box.bottom <= high;
  const edges = (box) => [box.left, box.top, box.right, box.bottom];
  const blocks = new Map();
  const blockOf = (el) => {
    while (el.parentElement && getComputedStyle(el).display.startsWith("inline")) {
      if (getComputedStyle(el).display !== "inline") break;
      el = el.parentElement;
    }
    if (!blocks.has(el)) blocks.set(el, blocks.size);
    return blocks.get(el);
  };
  const cased = (text, el) => {
    switch (getComputedStyle(el).textTransform) {
      case "uppercase": return text.toUpperCase();
      case "lowercase": return text.toLowerCase();
      case "capitalize": return text.replace(/(^|[^\p{L}\p{N}'])(\p{L})/gu, (all, a, b) => a + b.toUpperCase());
      default: return text;
    }
  };
  const own = ["date", "time", "datetime-local", "month", "week", "file"];
  const usual = { submit: "Submit", reset: "Reset" }; // what these buttons say where the page gives no words
  const shownIn = (el) => el.tagName === "INPUT" && !el.hasAttribute("value") ? usual[el.type] ?? el.value : el.value;
  // Soft hyphens and blanks of no width are in a text and not on the screen.
  const unseen = /[\u00ad\u200b\u2060\ufeff]/g;
  const plain = (text) => text.replace(unseen, "").replace(/\s+/g, " ").trim();
  const heading = (el) => el.closest("h1,h2,h3,h4,h5,h6") !== null;
  const words = [];
  // What stands in fields has no text nodes that can be seen from here: it is told whole.
  const typed = (el) => {
    const box = el.getBoundingClientRect();
    const silent = ["checkbox", "radio", "range", "color", "password", "hidden", "image"];
    if (silent.includes(el.type) || !near(box) || !visible(el) || !onTop(el, box)) return;
    // What a browser writes in its own words, or in several lines of a list, nobody can tell from here.
    const unknown = el.tagName === "SELECT" ? el.size > 1 || el.multiple : own.includes(el.type);
    const text = unknown ? "?" : el.tagName === "SELECT" ? el.selectedOptions[0]?.text : shownIn(el) || el.placeholder;
    if (!text?.trim()) return;
    const whole = inside(box) && el.scrollWidth <= el.clientWidth + 1 && el.scrollHeight <= el.clientHeight + 1;
    words.push({
      text: cased(plain(text), el), box: edges(box), block: `field ${words.length}`,
      whole: whole && !unknown && !/\n/.test(text), heading: false,
    });
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  const range = document.createRange();
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (["INPUT", "SELECT", "TEXTAREA"].includes(node.tagName)) typed(node);
      continue;
    }
    const el = node.parentElement;
    if (!/\S/.test(node.data) || el.closest("script,style,template,select,textarea")) continue;
    range.selectNodeContents(node);
    if (!near(range.getBoundingClientRect()) || !visible(el)) continue;
    for (const found of node.data.matchAll(/\S+/g)) {
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
      if (boxes.length === 0 || !found[0].replace(unseen, "") || !near(boxes[0])) continue;
      const whole = boxes.length === 1 && inside(boxes[0]);
      if (whole && !onTop(el, boxes[0])) continue;
      words.push({
        text: cased(found[0].replace(unseen, ""), el), box: edges(range.getBoundingClientRect()), block: blockOf(el),
        whole: boxes.length === 1, heading: heading(el),
      });
    }
  }
  const kinds = (el) => {
    const role = el.getAttribute("role"), type = (el.getAttribute("type") ?? "").toLowerCase();
    if (el.tagName === "A" || role === "link") return "link";
    if (el.tagName === "SELECT") return "dropdown";
    if (type === "checkbox" || role === "checkbox") return "checkbox";
    if (type === "radio" || role === "radio") return "radio button";
    if (el.tagName === "TEXTAREA") return "text field";
    if (el.tagName === "INPUT" && type === "range") return "slider";
    if (el.tagName === "INPUT" && ["color", "file"].includes(type)) return "button";
    if (el.tagName === "INPUT" && !["submit", "button", "reset", "image"].includes(type)) return "text field";
    return role === "tab" ? "tab" : role === "menuitem" ? "menu item" : "button";
  };
  // The words of a label without those of the field inside it.
  const labelOf = (el) => {
    const label = el.labels?.[0];
    if (!label) return "";
    const inner = [...label.querySelectorAll("select,textarea")].map((field) => field.innerText).filter(Boolean);
    return inner.reduce((text, words) => text.replace(words, " "), label.innerText);
  };
  // What it is called, and whether that can be read on the screen.
  const named = (el) => {
    const field = ["INPUT", "SELECT", "TEXTAREA"].includes(el.tagName);
    const value = field && ["submit", "button", "reset"].includes(el.type) ? shownIn(el) : "";
    const seen = [field ? "" : el.innerText, value, labelOf(el), el.value ? "" : el.getAttribute("placeholder") ?? ""];
    const read = seen.map(plain).find(Boolean);
    return { label: read ?? plain(el.getAttribute("aria-label") ?? ""), read: read !== undefined };
  };
  const marks = [];
  const untold = []; // boxes of what can be clicked and has no one box inside the window
  const wanted = "a[href],button,input:not([type=hidden]),select,textarea,summary," +
    "[role=button],[role=link],[role=tab],[role=menuitem],[role=checkbox],[role=radio]";
  for (const el of document.querySelectorAll(wanted)) {
    const boxes = [...el.getClientRects()].filter((box) => box.width > 0);
    if (boxes.length !== 1 || !inside(boxes[0]) || !visible(el) || !onTop(el, boxes[0])) {
      if (visible(el)) untold.push(...boxes.filter(near).map(edges));
      continue;
    }
    marks.push({ kind: kinds(el), ...named(el), box: edges(boxes[0]) });
  }
  return { words, marks, untold, tall: document.documentElement.scrollHeight };
})()
