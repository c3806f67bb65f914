// Plays the day of the living cluster: any moment of a precomputed trace, paused at first. No library, nothing to load.
(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const SPEEDS = [5, 15, 30, 60]; // simulated minutes in a second
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function clock(seconds) {
    const two = (n) => String(Math.floor(n)).padStart(2, "0");
    return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}`;
  }

  function player(root) {
    const day = JSON.parse(root.querySelector("script").textContent);
    const { words, jobs } = day;
    const nodes = root.querySelector(".lc-nodes");
    const cells = [...nodes.querySelectorAll("rect")];
    const letters = [...nodes.querySelectorAll("text")];
    const times = [...new Set(jobs.flatMap((job) => job.slice(3, 6)))].filter((t) => t < day.until).sort((a, b) => a - b);
    const shown = cells.map(() => undefined);
    let now = day.time;
    let timer = 0;

    function at(time) {
      const owners = new Array(cells.length).fill(undefined);
      let [running, busy] = [0, 0];
      const waiting = [];
      for (const job of jobs) {
        const [, , gpus, submit, start, end, places] = job;
        if (submit <= time && time < start) waiting.push(job);
        if (!(start <= time && time < end)) continue;
        running += 1;
        busy += gpus;
        for (const [node, mask] of places) {
          let first = true;
          for (let gpu = 0; gpu < day.gpus; gpu += 1) {
            if (!((mask >> gpu) & 1)) continue;
            owners[node * day.gpus + gpu] = [job, first];
            first = false;
          }
        }
      }
      return { owners, waiting, counts: { running, waiting: waiting.length, busy } };
    }

    function draw() {
      const { owners, waiting, counts } = at(now);
      owners.forEach((owner, i) => {
        const key = owner ? `${owner[0][0]}${owner[0][1]}${owner[1]}` : "";
        if (shown[i] === key) return;
        shown[i] = key;
        cells[i].setAttribute("class", owner ? `lc-${owner[0][1]}` : "lc-idle");
        letters[i].textContent = owner && owner[1] ? owner[0][0] : "";
      });
      root.querySelector(".lc-clock").textContent = clock(now);
      for (const [name, value] of Object.entries(counts)) root.querySelector(`[data-count="${name}"]`).textContent = value;
      const chips = waiting.slice(0, day.chips).map((job) => make("li", {}, `${job[0]} `, make("span", {}, String(job[2]))));
      if (waiting.length > day.chips) chips.push(make("li", { class: "lc-more" }, fill(words.more, { n: waiting.length - day.chips })));
      root.querySelector(".lc-queue").replaceChildren(...chips);
      scrubber.value = now;
      const spoken = fill(words.speak, { clock: clock(now), ...counts });
      scrubber.setAttribute("aria-valuetext", spoken);
      return spoken;
    }

    function go(time) {
      now = Math.max(0, Math.min(time, day.until - 1));
      const spoken = draw();
      if (!timer) nodes.setAttribute("aria-label", spoken);
      return spoken;
    }

    function pause() {
      cancelAnimationFrame(timer);
      timer = 0;
      label();
      said.textContent = go(now);
    }

    function play() {
      if (now >= day.until - 1) now = 0;
      let last;
      const frame = (stamp) => {
        const passed = last === undefined ? 0 : Math.min(stamp - last, 100) / 1000;
        last = stamp;
        timer = requestAnimationFrame(frame);
        go(now + passed * Number(speed.value) * 60);
        if (now >= day.until - 1) pause();
      };
      timer = requestAnimationFrame(frame);
      label();
    }

    const button = make("button", { type: "button", class: "lc-button" });
    const label = () => { button.textContent = still.matches ? words.next : timer ? words.pause : words.play; };
    button.addEventListener("click", () => {
      if (still.matches) said.textContent = go(times.find((time) => time > now) ?? 0);
      else if (timer) pause();
      else play();
    });
    const scrubber = make("input", { type: "range", min: 0, max: day.until - day.step, step: day.step, id: "lc-time" });
    scrubber.addEventListener("input", () => {
      const wanted = Number(scrubber.value);
      if (timer) pause();
      go(wanted);
    });
    const speed = make("select", { id: "lc-speed" },
      ...SPEEDS.map((n) => make("option", { value: n }, fill(words.per_second, { n }))));
    speed.value = SPEEDS[1];
    const said = make("p", { class: "lc-said", role: "status" });
    const moments = make("div", { class: "lc-moments", role: "group", "aria-label": words.moments }, ...day.moments.map(([time, text]) => {
      const to = make("button", { type: "button", class: "lc-moment" }, make("span", {}, clock(time)), ` ${text}`);
      to.addEventListener("click", () => {
        if (timer) pause();
        said.textContent = go(time);
      });
      return to;
    }));
    const field = (id, text, input, name) => make("div", { class: name }, make("label", { for: id }, text), input);
    const speedField = field("lc-speed", words.speed, speed, "lc-speed");
    root.querySelector(".lc-controls").append(
      make("div", { class: "lc-row" }, button, field("lc-time", words.time, scrubber, "lc-time"), speedField), moments, said);
    const motion = () => {
      if (still.matches && timer) pause();
      speedField.hidden = still.matches;
      label();
    };
    still.addEventListener("change", motion);
    document.addEventListener("visibilitychange", () => { if (document.hidden && timer) pause(); });
    motion();
    draw();
  }

  document.querySelectorAll(".lc-player").forEach(player);
})();
