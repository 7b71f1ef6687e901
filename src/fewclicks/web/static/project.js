// The folder's labels, method and list of pictures: asking for them, and changing them.

export class Project {
  /**
   * @param {import("./api.js").Api} api
   * @param {import("./model.js").Model} model
   * @param {(text: string) => void} say
   * @param {() => Promise<void>} refresh asks for the picture again
   */
  constructor(api, model, say, refresh) {
    this.api = api;
    this.model = model;
    this.say = say;
    this.refresh = refresh;
  }

  async load() {
    this.model.set({ project: await this.api.json("GET", "/api/project") });
  }

  async loadRows() {
    const { pictures } = await this.api.json("GET", "/api/pictures");
    this.model.set({
      rows: pictures.map(([id, name, state, count, holder]) => ({ id, name, state, objects: count, holder })),
    });
  }

  /** @param {string} name @returns {Promise<boolean>} whether the label is there now */
  addLabel = async (name) => {
    const known = this.model.project.labels.some((label) => label.name === name);
    if (known) return true;
    return this.#try(async () => {
      const label = await this.api.json("POST", "/api/labels", { name });
      const { project } = this.model;
      const others = project.labels.filter(({ id }) => id !== label.id);
      this.model.set({ project: { ...project, labels: [...others, label] } });
    });
  };

  /** @param {import("./model.js").Label} label @param {string} colour */
  recolour = (label, colour) => this.#try(async () => {
    await this.api.json("PATCH", `/api/labels/${label.id}`, { colour });
    await this.load();
  });

  /** @param {string} method */
  chooseMethod = async (method) => {
    const isChosen = await this.#try(async () => {
      this.model.set({ project: await this.api.json("PUT", "/api/project/method", { method }) });
      this.say(`Method: ${method}.`);
      await this.refresh();
    });
    if (!isChosen) this.model.set({ project: this.model.project });
  };

  async #try(run) {
    try {
      await run();
      return true;
    } catch (problem) {
      this.say(problem.message);
      return false;
    }
  }
}
