// Draws the tables of the dashboard. A table is all that there is to a chart: its headings with
// data-column are the series, its cells with data-value the figures, its links where a touch leads.
"use strict";

(() => {
  // Told apart by the colour-blind, too (Okabe and Ito).
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"];
  const INK = "#23201d";
  const number = (text) => (text === "" || text === undefined ? null : Number(text));

  const read = (table) => ({
    columns: [...table.querySelectorAll("thead [data-column]")].map((cell) => cell.dataset.column),
    rows: [...table.tBodies[0].rows].map((row) => {
      const cells = [...row.querySelectorAll("[data-value]")];
      return {
        label: row.cells[0].textContent.trim(),
        values: cells.map((cell) => number(cell.dataset.value)),
        wanted: cells.map((cell) => number(cell.dataset.wanted)),
        links: cells.map((cell) => (cell.querySelector("a") || row.querySelector("a") || {}).href),
      };
    }),
  });

  const line = (target) => ({
    silent: true,
    symbol: "none",
    lineStyle: { color: INK, type: "dotted", width: 2 },
    label: { formatter: fill(gettext("目标 {target}%"), { target }), position: "insideEndTop", color: INK },
  });
  const percents = { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value}%" } };
  const share = (value) => (value === null || value === undefined ? "—" : `${value}%`);
  const plain = (value) => (value === null || value === undefined ? "—" : String(value));

  const KINDS = {
    path: ({ columns, rows }, target) => ({
      legend: { bottom: 0, data: rows.map((row) => row.label) },
      tooltip: { trigger: "axis", valueFormatter: share },
      xAxis: { type: "category", data: columns },
      yAxis: percents,
      series: rows.flatMap(({ label, values, wanted }, index) => [
        {
          name: label,
          type: "line",
          data: values,
          symbolSize: 10,
          symbol: ["circle", "rect", "triangle"][index % 3],
          lineStyle: { width: 3 },
          itemStyle: { color: COLOURS[index] },
          markLine: index ? undefined : { ...line(target), data: [{ yAxis: target }] },
        },
        {
          name: fill(gettext("{label}还需走的路"), { label }),
          type: "line",
          data: wanted,
          symbol: "none",
          lineStyle: { type: "dashed", width: 2 },
          itemStyle: { color: COLOURS[index] },
        },
      ]),
    }),
    bars: ({ rows }, target) => ({
      tooltip: { valueFormatter: share },
      xAxis: percents,
      yAxis: { type: "category", inverse: true, data: rows.map((row) => row.label) },
      series: [
        {
          name: gettext("达标率"),
          type: "bar",
          data: rows.map((row) => row.values[0]),
          itemStyle: { color: COLOURS[0] },
          label: { show: true, position: "right", formatter: ({ value }) => share(value), color: INK },
          markLine: { ...line(target), data: [{ xAxis: target }] },
        },
      ],
    }),
    funnel: ({ rows }) => ({
      tooltip: { valueFormatter: plain },
      series: [
        {
          type: "funnel",
          sort: "none",
          top: 8,
          bottom: 8,
          left: "5%",
          width: "70%",
          minSize: "4%",
          gap: 3,
          data: rows.map((row, index) => ({
            name: row.label,
            value: row.values[0],
            itemStyle: { color: COLOURS[index % COLOURS.length] },
          })),
          label: { position: "right", formatter: "{b}\n" + gettext("{c} 个"), color: INK },
        },
      ],
    }),
    radar: ({ columns, rows }) => ({
      legend: { bottom: 0 },
      tooltip: { valueFormatter: share },
      radar: {
        radius: "62%",
        center: ["50%", "46%"],
        indicator: columns.map((name) => ({ name, max: 100 })),
        axisName: { color: INK },
      },
      series: [
        {
          type: "radar",
          data: rows.map((row, index) => ({
            name: row.label,
            value: row.values.map((value) => value ?? 0),
            lineStyle: { color: COLOURS[index], width: 3, type: ["solid", "dashed", "dotted"][index % 3] },
            itemStyle: { color: COLOURS[index] },
            areaStyle: { color: COLOURS[index], opacity: 0.08 },
          })),
        },
      ],
    }),
    groups: ({ columns, rows }) => ({
      legend: { bottom: 0 },
      tooltip: { trigger: "axis", valueFormatter: share },
      xAxis: percents,
      yAxis: { type: "category", inverse: true, data: rows.map((row) => row.label) },
      series: columns.map((name, at) => ({
        name,
        type: "bar",
        data: rows.map((row) => row.values[at]),
        itemStyle: { color: at ? COLOURS[0] : "#8a8a8a" },
      })),
    }),
    stack: ({ columns, rows }) => ({
      legend: { bottom: 0 },
      tooltip: { trigger: "axis", valueFormatter: plain },
      xAxis: { type: "value", minInterval: 1 },
      yAxis: { type: "category", inverse: true, data: rows.map((row) => row.label) },
      series: columns.map((name, at) => ({
        name,
        type: "bar",
        stack: "all",
        data: rows.map((row) => row.values[at]),
        itemStyle: { color: COLOURS[at], borderColor: "#fff", borderWidth: 1 },
      })),
    }),
  };

  const draw = (section) => {
    const table = section.querySelector("table");
    const canvas = section.querySelector(".chart-canvas");
    if (!table || !canvas) return;
    const title = section.querySelector("h2").textContent.trim();
    const data = read(table);
    const option = KINDS[section.dataset.chart](data, number(section.dataset.target));
    canvas.hidden = false;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", fill(gettext("{title}，数据见下面的数据表"), { title }));
    const chart = echarts.init(canvas);
    chart.setOption({
      animation: false,
      backgroundColor: "#fff",
      textStyle: { color: INK, fontFamily: "sans-serif", fontSize: 14 },
      grid: { left: 8, right: 56, top: 24, bottom: option.legend ? 56 : 8, containLabel: true },
      ...option,
      // Drawn, not written as markup: the policy on styles forbids what ECharts would write.
      tooltip: { ...option.tooltip, renderMode: "richText", confine: true },
    });
    chart.on("click", ({ dataIndex, seriesIndex }) => {
      const row = data.rows[section.dataset.chart === "path" ? Math.floor(seriesIndex / 2) : dataIndex];
      const link = row && (row.links[section.dataset.chart === "stack" ? seriesIndex : 0] || row.links[0]);
      if (link) window.location.assign(link);
    });
    new ResizeObserver(() => chart.resize()).observe(canvas);
    // On paper there is nothing to unfold: the figures stand below their chart.
    const twin = section.querySelector("details");
    twin.open = false;
    let wasOpen = false;
    window.addEventListener("beforeprint", () => {
      wasOpen = twin.open;
      twin.open = true;
      chart.resize();
    });
    window.addEventListener("afterprint", () => {
      twin.open = wasOpen;
    });
    offerPicture(section, () => chart.getDataURL({ pixelRatio: 2, backgroundColor: "#fff" }));
  };

  // A button that saves what `picture` gives, under the section's own title.
  const offerPicture = (section, picture) => {
    const title = section.querySelector("h2").textContent.trim();
    const save = section.querySelector(".chart-save");
    save.hidden = false;
    save.setAttribute("aria-label", fill(gettext("把“{title}”存为图片"), { title }));
    save.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = picture();
      link.download = `${title}.png`;
      link.click();
    });
  };

  // The map of tiles is no chart but a list of links: its picture is painted as it stands there.
  const paintTiles = (list) => {
    const frame = list.getBoundingClientRect();
    const canvas = document.createElement("canvas");
    canvas.width = frame.width * 2;
    canvas.height = frame.height * 2;
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, frame.width, frame.height);
    list.querySelectorAll(".county-tile").forEach((tile) => {
      const box = tile.getBoundingClientRect();
      const left = box.left - frame.left;
      const style = getComputedStyle(tile);
      pen.fillStyle = style.backgroundColor;
      pen.fillRect(left, box.top - frame.top, box.width, box.height);
      pen.fillStyle = style.color;
      pen.textBaseline = "middle";
      [...tile.children].forEach((line) => {
        const at = line.getBoundingClientRect();
        pen.font = getComputedStyle(line).font;
        pen.fillText(line.textContent, at.left - frame.left, at.top + at.height / 2 - frame.top, box.right - at.left);
      });
    });
    return canvas.toDataURL("image/png");
  };

  document.querySelectorAll("[data-chart]").forEach(draw);
  document.querySelectorAll(".county-tiles").forEach((list) => {
    offerPicture(list.closest("section"), () => paintTiles(list));
  });
})();
