// The points of a page while it is filled in, by the rule of assessments/scoring.py. Exact
// fractions of whole numbers, rounded half up to 0.01 for show only, as the server does it: what
// stands here and what is stored there agree to the cent. The server computes everything again.
"use strict";

const scoring = (() => {
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  const fraction = (n, d = 1n) => {
    const divisor = gcd(n < 0n ? -n : n, d) || 1n;
    return { n: n / divisor, d: d / divisor };
  };
  const ZERO = fraction(0n);
  const add = (a, b) => fraction(a.n * b.d + b.n * a.d, a.d * b.d);
  const times = (a, b) => fraction(a.n * b.n, a.d * b.d);
  const over = (a, b) => fraction(a.n * b.d, a.d * b.n);
  const reaches = (a, b) => a.n * b.d >= b.n * a.d;

  // Digits as people type them: full-width ones, blanks and thousands separators go.
  const digits = (text) => text.normalize("NFKC").replace(/[ ,\u00a0]/g, "").trim();

  // A decimal as a fraction; null for what is none.
  const decimal = (text) => {
    const found = /^(\d{0,20})(?:\.(\d{0,40}))?(?:E([+-]?\d{1,2}))?$/i.exec(digits(String(text)));
    if (!found || !(found[1] || found[2])) return null;
    const part = found[2] || "";
    const shift = Number(found[3] || 0) - part.length;
    const whole = BigInt((found[1] || "") + part);
    return shift < 0 ? fraction(whole, 10n ** BigInt(-shift)) : fraction(whole * 10n ** BigInt(shift));
  };
  const count = (text) => (/^\d{1,10}$/.test(digits(text)) ? BigInt(digits(text)) : null);

  // Half up to 0.01, without needless zeros.
  const show = ({ n, d }) => {
    const cents = (n * 200n + d) / (2n * d);
    return `${cents / 100n}.${String(cents % 100n).padStart(2, "0")}`.replace(/\.?0+$/, "");
  };

  // Points and maximum of one indicator; points are null while nothing valid has been entered.
  const indicator = (article) => {
    const facts = article.querySelector(".indicator-head").dataset;
    const field = (name) => article.querySelector(`[id="${article.id}-${name}"]`);
    const full = decimal(facts.max);
    if (field("not_applicable")?.checked) return { points: ZERO, maximum: ZERO };
    const unanswered = { points: null, maximum: full };
    if (facts.kind === "CHECKLIST") {
      const ticked = [...article.querySelectorAll(".checks input:checked")].map((box) => box.value);
      if (!ticked.length || (ticked.includes("-") && ticked.length > 1)) return unanswered;
      const present = ticked.includes("-") ? 0 : ticked.length;
      return { points: times(full, fraction(BigInt(present), BigInt(facts.items))), maximum: full };
    }
    let counts = null;
    if (facts.kind === "RATE") {
      const numerator = count(field("numerator").value);
      const denominator = count(field("denominator").value);
      if (numerator === null || !denominator || numerator > denominator) return unanswered;
      counts = fraction(numerator * 100n, denominator);
    }
    if (facts.computed) {
      const line = decimal(facts.threshold);
      return { points: reaches(counts, line) ? full : times(full, over(counts, line)), maximum: full };
    }
    const judged = decimal(field("score").value);
    const allowed = judged && reaches(full, judged) && times(judged, fraction(2n)).d === 1n;
    return allowed ? { points: judged, maximum: full } : unanswered;
  };

  // Everything that follows from the fields of the page.
  const refresh = () => {
    const figures = document.querySelector("[data-figures]");
    if (!figures) return;
    let points = ZERO;
    let maximum = ZERO;
    document.querySelectorAll("article.indicator").forEach((article) => {
      if (!article.querySelector("[data-points]")) return;
      const result = indicator(article);
      article.querySelector("[data-points]").textContent = result.points ? show(result.points) : "—";
      points = add(points, result.points || ZERO);
      maximum = add(maximum, result.maximum);
    });
    figures.querySelector("[data-criterion-points]").textContent = show(points);
    figures.querySelector("[data-criterion-maximum]").textContent = show(maximum);
    const all = add(points, decimal(figures.dataset.othersPoints));
    const most = add(maximum, decimal(figures.dataset.othersMaximum));
    figures.querySelector("[data-total]").textContent = show(most.n ? over(times(all, fraction(100n)), most) : ZERO);
  };

  // A page where some answers can only be read (a returned one) keeps the server's figures.
  const form = document.getElementById("sheet");
  const whole = form && !document.querySelector("article.indicator:not([hx-post])");
  if (whole) form.addEventListener("input", refresh);
  return { digits, refresh: whole ? refresh : () => {} };
})();
