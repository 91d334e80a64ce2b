// The operator page, live: puts what the server renders in place and draws the two charts. Without it the page shows the moment it was opened.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const live = byId("live"), pause = byId("pause");
  const KEPT = 150, AGAIN_MS = 5000, HEIGHT = 180;
  let points = [], paused = false, source = null;

  const say = (what) => { if (live.textContent !== live.dataset[what]) live.textContent = live.dataset[what]; };
  const put = (id, html) => {
    const place = byId(id);
    const chosen = getSelection();
    const inUse = place.contains(document.activeElement) || (!chosen.isCollapsed && place.contains(chosen.anchorNode));
    if (!inUse) place.innerHTML = html;
  };
  const draw = (id, columns) => {
    const place = byId(id), { title, first, second } = place.dataset;
    const width = () => Math.max(200, place.clientWidth);
    const chart = new uPlot({
      title, width: width(), height: HEIGHT,
      series: [{}, { label: first, stroke: "#14508c", width: 2 }, { label: second, stroke: "#a3161f", width: 2, dash: [6, 4] }],
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most || 0) * 1.1] } },
    }, columns(), place);
    addEventListener("resize", () => chart.setSize({ width: width(), height: HEIGHT }));
    return () => chart.setData(columns());
  };
  const column = (at, scale) => points.map((point) => (point[at] === null ? null : point[at] * scale));
  const charts = [
    draw("rates", () => [column(0, 1), column(1, 1), column(2, 1)]),
    draw("latency", () => [column(0, 1), column(3, 1000), column(4, 1000)]),
  ];
  const redraw = () => charts.forEach((chart) => chart());

  const follow = () => {
    source = new EventSource("/operations/stream");
    source.addEventListener("history", (event) => { points = JSON.parse(event.data); redraw(); });
    source.addEventListener("health", (event) => {
      const { health, recent, point } = JSON.parse(event.data);
      if (point && (!points.length || point[0] > points[points.length - 1][0])) points = [...points, point].slice(-KEPT);
      if (paused) return;
      say("live");
      put("health", health);
      put("recent", recent);
      redraw();
    });
    source.addEventListener("ended", () => { source.close(); say("ended"); });
    source.onerror = () => {
      say("lost");
      if (source.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN_MS);
    };
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    say(paused ? "paused" : "live");
  });
  addEventListener("pagehide", () => source.close());
  follow();
})();
