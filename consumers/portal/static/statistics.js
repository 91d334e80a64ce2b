// Draws the trends of the statistics page from the table that says the same in words; a number that is not shown is a gap.
(() => {
  const place = document.getElementById("trend-chart");
  const rows = [...document.querySelectorAll("#trends-data tbody tr")].filter((row) => row.dataset.row !== "total");
  if (!place || rows.length < 2 || typeof uPlot === "undefined") return;
  const heads = [...document.querySelectorAll("#trends-data thead th")].slice(1, -1).map((one) => one.textContent);
  const number = (cell) => (cell.textContent.trim() === "*" ? null : Number(cell.textContent.replaceAll(",", "")));
  const data = [rows.map((row) => Date.parse(`${row.dataset.row}-01T00:00:00Z`) / 1000)];
  heads.forEach((_, n) => data.push(rows.map((row) => number(row.cells[n + 1]))));
  const strokes = ["#14508c", "#a3161f", "#2a6a2a", "#7a4b00", "#5b2a86"];
  const months = (chart) => {
    const step = Math.ceil((data[0].length * 80) / Math.max(chart.width, 80));
    return data[0].filter((_, n) => n % step === 0);
  };
  const options = {
    width: place.clientWidth,
    height: 260,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [{ splits: months, values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toISOString().slice(0, 7)) }, {}],
    scales: { y: { range: (_, low, high) => [0, Math.max(high, 1)] } },
    legend: { live: false },
    series: [{}, ...heads.map((label, n) => ({ label, stroke: strokes[n % strokes.length], width: 2, dash: n ? [6, 2 * n] : [] }))],
  };
  const chart = new uPlot(options, data, place);
  addEventListener("resize", () => chart.setSize({ width: place.clientWidth, height: 260 }));
})();
