// The link on a slip brings username and first password behind the #, which no server sees: they
// are filled in, and taken out of the address bar and the history at once.
"use strict";

(() => {
  const form = document.querySelector("[data-first-sign-in]");

  const fillIn = () => {
    const secret = location.hash.slice(1);
    if (!form || !secret.includes(".")) return;
    history.replaceState(null, "", location.pathname + location.search);
    const dot = secret.lastIndexOf("."); // a username may hold one, a first password does not
    try {
      form.elements.username.value = decodeURIComponent(secret.slice(0, dot));
    } catch {
      return; // cut short on its way here: the slip can still be typed
    }
    form.elements.password.value = secret.slice(dot + 1);
    form.querySelector("[type=submit]").focus();
  };

  fillIn();
  window.addEventListener("hashchange", fillIn);
})();
