// Draws the chart of the quality page from the table that says the same in words.
(() => {
  const place = document.getElementById("chart");
  const rows = [...document.querySelectorAll("#chart-data tbody tr")];
  if (!place || !rows.length || typeof uPlot === "undefined") return;
  const column = (n) => rows.map((row) => Number(row.cells[n].textContent));
  const data = [rows.map((row) => Number(row.dataset.at)), column(1), column(2)];
  const options = {
    width: place.clientWidth,
    height: 220,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    axes: [{ values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toISOString().slice(5, 10)) }, {}],
    scales: { y: { range: (_, low, high) => [0, Math.max(high, 1)] } },
    legend: { live: false },
    series: [
      {},
      { label: place.dataset.published, stroke: "#14508c", width: 2 },
      { label: place.dataset.rejected, stroke: "#a3161f", width: 2, dash: [6, 4] },
    ],
  };
  const chart = new uPlot(options, data, place);
  addEventListener("resize", () => chart.setSize({ width: place.clientWidth, height: 220 }));
})();
