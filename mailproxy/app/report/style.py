"""How the page of a report looks: by day, by night and on paper; its colours are told apart by everybody."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --dim: #5c5c5c; --line: #c9c9c9;
  --client: #00528c; --server: #8a4b00; --bad: #8c0f4a; --proof: #fff3cd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e8e8e8; --paper: #161616; --dim: #a6a6a6; --line: #4a4a4a;
    --client: #7cc4ff; --server: #ffb454; --bad: #ff8ab8; --proof: #3d3413;
  }
}
body {
  background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
}
h1 { font-size: 1.5rem }
h2 { font-size: 1.1rem; margin-top: 2rem }
.bad { color: var(--bad); font-weight: bold }
.dim { color: var(--dim) }
.client { color: var(--client) }
.server { color: var(--server) }
.proof { background: var(--proof); font-weight: bold }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem }
dt { font-weight: bold }
dd { margin: 0; overflow-wrap: anywhere }
ol { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0 }
li { border: 1px solid var(--line); border-radius: .3rem; padding: .2rem .6rem }
li.bad { border: 2px solid var(--bad) }
table { border-collapse: collapse }
td, pre {
  font-family: ui-monospace, monospace; font-size: .85rem; line-height: 1.4;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
td { padding: 0 .5rem; vertical-align: top }
td:first-child { color: var(--dim); text-align: right; white-space: pre }
td:nth-child(2) { white-space: pre }
@media print {
  :root {
    color-scheme: light; --ink: #000; --paper: #fff; --dim: #444;
    --client: #00528c; --server: #8a4b00; --bad: #8c0f4a; --proof: #fff3cd;
  }
  body { max-width: none; margin: 0; font-size: 10pt }
  h2 { break-after: avoid }
  tr, li { break-inside: avoid }
  .proof { border-left: 3pt solid #000 }
}
"""
