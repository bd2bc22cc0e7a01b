"""How pages look and what they may do: one style sheet, one script of a few lines, and the header that allows no more.

The Content-Security-Policy names both by their SHA-256 (CSP Level 3, section 2.3.1): whatever else should get
into a page, a browser neither runs nor applies it, and fetches nothing from anywhere.
"""

import base64
import hashlib
from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1a1f26; --quiet: #556070; --paper: #fff; --line: #c8d0da; --tint: #f3f5f8;
  --accent: #0b4f8a; --second: #8a3b0b; --sealed: #e4eef7; --stroke: #c3d8ea; --lock: #0b4f8a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #a3adba; --paper: #14181d; --line: #3b444f;
  --tint: #1d232a; --accent: #7fb8ea; --second: #e9a06f; --sealed: #1d3346; --stroke: #2c4a64; --lock: #7fb8ea; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header { border-bottom: 3px solid var(--accent); padding-bottom: .8rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; overflow-wrap: anywhere; }
a { color: var(--accent); }
.lead { color: var(--quiet); margin: 0; }
.address { font: .95rem ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.links a { margin-right: 1.2rem; }
ul.words { margin: .3rem 0; padding-left: 1.2rem; } .words li { margin: .25rem 0; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.5rem; margin-top: 1.2rem; }
.pictures figure { margin: 0; flex: 1 1 20rem; max-width: 28rem; break-inside: avoid; }
figcaption { font-weight: 600; margin-bottom: .3rem; }
.picture { display: block; width: 100%; height: auto; }
.picture text { font: 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
.picture .name { font-weight: 600; } .picture .middle { text-anchor: middle; }
.picture .note { font-size: 11px; fill: var(--quiet); } .picture .legend { font-size: 12px; }
.picture .zone { font-size: 11px; fill: var(--quiet); letter-spacing: .06em; }
.picture .digit { font-size: 11px; font-weight: 700; fill: var(--paper); }
.actor { fill: var(--tint); stroke: var(--ink); } .envelope { fill: none; stroke: var(--ink); }
.rule { stroke: var(--line); stroke-dasharray: 3 3; } .tls { fill: none; stroke: var(--lock); stroke-width: 4; }
.arrow { fill: none; stroke: var(--ink); stroke-width: 1.6; }
.row { fill: var(--paper); stroke: var(--line); } .hidden { stroke: var(--lock); }
.sealed { fill: var(--sealed); } .stroke { stroke: var(--stroke); stroke-width: 2; }
.lock { fill: var(--lock); } .shackle { fill: none; stroke: var(--lock); stroke-width: 1.8; }
.sign { fill: none; stroke-width: 1.8; } .sign-1 { stroke: var(--accent); } .disc-1 { fill: var(--accent); }
.sign-2 { stroke: var(--second); stroke-dasharray: 5 2; } .disc-2 { fill: var(--second); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { font-weight: 600; }
td code, li code, p code, dd code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1rem; margin: .4rem 0; }
dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: 4px; margin: .5rem 0; padding: 0 .9rem; }
summary { cursor: pointer; font-weight: 600; padding: .5rem 0; } details[open] { padding-bottom: .8rem; }
.not { color: var(--quiet); }
.snippet { margin: .7rem 0; } .file { display: flex; justify-content: space-between; align-items: center; gap: 1rem;
  font: .9rem ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 3px; margin: .2rem 0; padding: .7rem;
  font: .82rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; overflow-x: auto; max-height: 28rem; }
button { font: inherit; font-size: .85rem; color: var(--accent); background: var(--paper); border: 1px solid var(--accent);
  border-radius: 3px; padding: .1rem .7rem; cursor: pointer; } button[hidden] { display: none; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } h1 { font-size: 1.4rem; } }
@media print { :root { color-scheme: light; --ink: #000; --quiet: #444; --paper: #fff; --line: #999; --tint: #fff;
  --accent: #0b4f8a; --second: #8a3b0b; --sealed: #e4eef7; --stroke: #c3d8ea; --lock: #0b4f8a; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } button { display: none; } h2, h3 { break-after: avoid; }
  pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; } .pictures figure { max-width: 8.2cm; }
  * { print-color-adjust: exact; } }
"""

SCRIPT: Final = """
for (const button of document.querySelectorAll("button[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
"""
"""Buttons that copy what stands below them; without HTTPS a browser has the older way only."""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        f"script-src {_hash(SCRIPT)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
