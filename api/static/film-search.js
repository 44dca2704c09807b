// <film-search source="/v1/items"> around an input: a combobox over titles.
// https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ says which key does what.

const WAIT = 120; // milliseconds without a key before the server is asked
const SHOWN = 8;

class FilmSearch extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input");
    this.list = document.createElement("ul");
    this.list.id = `${this.input.id}-options`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Films");
    this.list.hidden = true;
    this.append(this.list);
    this.at = -1;
    for (const [name, value] of [
      ["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"],
      ["aria-controls", this.list.id],
    ]) this.input.setAttribute(name, value);
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // Before the input loses the focus, and the list with it.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option);
    });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    const query = this.input.value.trim();
    if (!query) return this.close();
    const parameters = new URLSearchParams({ query, limit: SHOWN });
    const answer = await fetch(`${this.getAttribute("source")}?${parameters}`);
    if (!answer.ok || query !== this.input.value.trim() || !this.isConnected) return;
    this.show((await answer.json()).items);
  }

  show(films) {
    this.at = -1;
    this.input.removeAttribute("aria-activedescendant");
    this.list.replaceChildren(...films.map((film, n) => {
      const option = document.createElement("li");
      option.id = `${this.list.id}-${n}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.item = film.item_id;
      option.textContent = film.year === null ? film.title : `${film.title} (${film.year})`;
      return option;
    }));
    this.list.hidden = !films.length;
    this.input.setAttribute("aria-expanded", String(Boolean(films.length)));
  }

  close() {
    clearTimeout(this.timer);
    this.show([]);
  }

  key(event) {
    const n = this.list.children.length;
    if (event.key === "Escape" && n) {
      event.preventDefault();
      this.close();
    } else if (n && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.mark((this.at + step + (this.at < 0 && step < 0 ? 1 : 0) + n) % n);
    } else if (event.key === "Enter" && this.at >= 0) {
      event.preventDefault();
      this.choose(this.list.children[this.at]);
    }
  }

  mark(at) {
    this.list.children[this.at]?.setAttribute("aria-selected", "false");
    this.at = at;
    const option = this.list.children[at];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  choose(option) {
    const { item } = option.dataset;
    this.input.value = "";
    this.close();
    const chosen = new CustomEvent("film", { bubbles: true, cancelable: true, detail: item });
    if (!this.dispatchEvent(chosen)) return;
    const { form } = this.input;
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "item", value: item }));
    form.dataset.focus = `star ${item} 1`;
    form.requestSubmit();
  }
}

customElements.define("film-search", FilmSearch);
