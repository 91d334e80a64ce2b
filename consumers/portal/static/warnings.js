// Draws a warning's counts beside what is usual, from the table that says the same in words.
(() => {
  const place = document.getElementById("chart");
  const rows = [...document.querySelectorAll("#chart-data tbody tr")];
  if (!place || !rows.length || typeof uPlot === "undefined") return;
  const column = (n) => rows.map((row) => Number(row.cells[n].textContent));
  const data = [rows.map((row) => Number(row.dataset.at)), column(1), column(2)];
  const step = data[0].length > 1 ? data[0][1] - data[0][0] : 86400;
  const chart = new uPlot({
    width: place.clientWidth,
    height: 240,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Asia/Shanghai"),
    axes: [{ values: (_, ticks) => ticks.map((at) => new Date((at + 28800) * 1000).toISOString().slice(5, 10)), space: 60 }, {}],
    scales: { x: { range: (_, low, high) => [low - step / 2, high + step / 2] }, y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
    legend: { live: false },
    series: [
      {},
      { label: place.dataset.counted, stroke: "#14508c", fill: "#14508c33", width: 2, paths: uPlot.paths.bars({ size: [0.7, 40] }), points: { show: false } },
      { label: place.dataset.usual, stroke: "#a3161f", width: 2, dash: [6, 4], points: { show: false } },
    ],
  }, data, place);
  addEventListener("resize", () => chart.setSize({ width: place.clientWidth, height: 240 }));
})();
