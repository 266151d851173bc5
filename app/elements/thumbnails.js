// Pictures to choose from. The keyboard's focus goes to the chosen one when they appear.

const boards = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".thumbnails");
  const now = JSON.stringify(data);
  const before = boards.get(parentElement);
  if (before === now) return;
  boards.set(parentElement, now);
  const choose = (name) => {
    setTriggerValue("chosen", name);
    document.querySelector(data.returnTo)?.focus();
  };
  root.replaceChildren(...data.pictures.map((picture) => thumbnail(picture, choose)));
  if (before === undefined) {
    const first = root.querySelector("[aria-pressed=true]") ?? root.querySelector("button");
    first?.focus({ preventScroll: true });
  }
}

function thumbnail({ name, title, image, isChosen, refusal }, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-pressed", isChosen);
  button.disabled = Boolean(refusal);
  if (image) {
    const shown = document.createElement("img");
    shown.src = image;
    shown.alt = "";
    button.append(shown);
  }
  const words = document.createElement("span");
  words.textContent = refusal ? `${title}: ${refusal}` : title;
  button.append(words);
  button.addEventListener("click", () => choose(name));
  return button;
}
