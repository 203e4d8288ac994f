// Conveniences on a page of indicators: fill buttons, the live rate.
// The page works without them; the server computes everything again.
"use strict";

(() => {
  const digits = (text) => text.normalize("NFKC").replace(/[\s,]/g, "");

  const fill = (button) => {
    const field = document.getElementById(button.dataset.fill);
    field.value = button.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.querySelectorAll("[data-fill]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => fill(button));
  });

  document.querySelectorAll("[data-fill-all]").forEach((all) => {
    all.hidden = false;
    all.addEventListener("click", () => {
      document.querySelectorAll("[data-fill]").forEach((button) => {
        const empty = document.getElementById(button.dataset.fill).value === "";
        if (button.textContent === all.dataset.fillAll && empty) fill(button);
      });
    });
  });

  // Whole numbers compared by multiplication, as the server does: 94.995 is not 95.
  const showRate = (group) => {
    const [numerator, denominator] = [...group.querySelectorAll("input")].map((input) => digits(input.value));
    const output = group.querySelector("output");
    output.className = "rate";
    output.textContent = "";
    if (!/^\d{1,10}$/.test(numerator) || !/^\d{1,10}$/.test(denominator) || Number(denominator) === 0) return;
    if (Number(numerator) > Number(denominator)) return;
    const fine = (BigInt(numerator) * 1000000n) / BigInt(denominator); // 1/10000 of a percent
    const threshold = group.dataset.threshold;
    const show = (hundredths) => `= ${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}%`;
    if (!threshold) {
      output.textContent = show((fine + 50n) / 100n);
      return;
    }
    const met = BigInt(numerator) * 10000n >= BigInt(Math.round(Number(threshold) * 100)) * BigInt(denominator);
    // Below the line it is rounded down: 94.995 % must not read as 95 %.
    output.textContent = `${show(met ? (fine + 50n) / 100n : fine / 100n)} ${met ? "达到" : "未达到"}`;
    output.classList.add(met ? "met" : "unmet");
  };

  document.querySelectorAll("[data-rate]").forEach((group) => {
    group.addEventListener("input", () => showRate(group));
    showRate(group);
  });
})();
