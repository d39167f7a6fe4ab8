// Explanations that open on hover and focus as well; Escape closes them (Popover API).
"use strict";
(() => {
  const body = (button) => document.getElementById(button.getAttribute("popovertarget"));
  const open = (button) => {
    const tip = body(button);
    if (!tip || tip.matches(":popover-open")) return;
    tip.showPopover();
    const at = button.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${at.bottom + tip.offsetHeight + 8 > innerHeight ? at.top - tip.offsetHeight - 6 : at.bottom + 6}px`;
  };
  const close = (button) => { const tip = body(button); if (tip?.matches(":popover-open")) tip.hidePopover(); };
  const tip = (event) => event.target.closest?.(".tip");
  document.addEventListener("mouseover", (event) => { const button = tip(event); if (button) open(button); });
  document.addEventListener("mouseout", (event) => { const button = tip(event); if (button && button !== document.activeElement) close(button); });
  document.addEventListener("focusin", (event) => { const button = tip(event); if (button?.matches(":focus-visible")) open(button); });
  document.addEventListener("focusout", (event) => { const button = tip(event); if (button) close(button); });
})();
