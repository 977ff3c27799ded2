/** Colours, type, cards and tables; light and dark. */
export const PAGE_STYLE = `
:root {
  --paper: #f6f5f2;
  --card: #ffffff;
  --ink: #1d1f23;
  --soft: #5f636b;
  --line: #e3e1dc;
  --good: #7cc3a1;
  --slow: #e5b94e;
  --failed: #c8434f;
  --unknown: #8b86a8;
  --pass: #1d7a52;
  --fail: #b42f3c;
  --unsure: #93650b;
  --pass-soft: #e2f3ea;
  --fail-soft: #fbe6e7;
  --unsure-soft: #fbf0d6;
  --shade: rgba(200, 67, 79, 0.17);
  --r0: #3d74b8;
  --r1: #d07c2e;
  --r2: #7d5bab;
  --r3: #3a8f8f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a;
    --card: #1e2125;
    --ink: #e9e8e4;
    --soft: #a0a4ac;
    --line: #32363c;
    --good: #3f8f6b;
    --slow: #c99a2e;
    --failed: #e05a64;
    --unknown: #8f89b5;
    --pass: #67cf9f;
    --fail: #ff8a90;
    --unsure: #eec05a;
    --pass-soft: #1b3a2d;
    --fail-soft: #452126;
    --unsure-soft: #3f3317;
    --shade: rgba(224, 90, 100, 0.26);
    --r0: #6ea3e6;
    --r1: #eba05c;
    --r2: #ad8fd8;
    --r3: #66bdbd;
  }
}
* {
  box-sizing: border-box;
}
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font:
    15px/1.5 system-ui,
    -apple-system,
    'Segoe UI',
    Roboto,
    'Noto Sans',
    'DejaVu Sans',
    sans-serif;
  font-variant-numeric: tabular-nums;
  -webkit-text-size-adjust: 100%;
}
main {
  max-width: 1040px;
  margin: 0 auto;
  padding: 28px 20px 60px;
}
h1,
h2,
p {
  margin: 0;
}
p + p {
  margin-top: 6px;
}
h1 {
  font-size: 30px;
  line-height: 1.2;
  letter-spacing: -0.01em;
  overflow-wrap: anywhere;
}
h2 {
  font-size: 16px;
  margin-bottom: 14px;
}
a {
  color: var(--r0);
}
small,
.quiet,
.question,
.eyebrow {
  color: var(--soft);
}
small {
  font-size: 12px;
}
code {
  font:
    13px ui-monospace,
    'SF Mono',
    Menlo,
    'DejaVu Sans Mono',
    monospace;
  overflow-wrap: anywhere;
}
header {
  border-left: 5px solid var(--unsure);
  padding: 2px 0 2px 18px;
  margin-bottom: 20px;
}
header.pass {
  border-color: var(--pass);
}
header.fail {
  border-color: var(--fail);
}
.eyebrow {
  font-size: 13px;
}
.reason {
  font-size: 18px;
  margin-top: 8px;
  overflow-wrap: anywhere;
}
.pill {
  display: inline-block;
  vertical-align: 4px;
  font-size: 14px;
  letter-spacing: 0.02em;
  padding: 2px 12px;
  border-radius: 99px;
  color: var(--unsure);
  background: var(--unsure-soft);
}
.pill.pass,
.mark.pass {
  color: var(--pass);
  background: var(--pass-soft);
}
.pill.fail,
.mark.fail {
  color: var(--fail);
  background: var(--fail-soft);
}
.mark {
  display: inline-block;
  flex: none;
  width: 20px;
  height: 20px;
  line-height: 20px;
  border-radius: 50%;
  text-align: center;
  font-size: 12px;
  font-weight: 700;
  color: var(--unsure);
  background: var(--unsure-soft);
}
.mark.skipped {
  color: var(--soft);
  background: var(--line);
}
.figures {
  display: grid;
  grid-template-columns: repeat(3, 1fr);
  gap: 14px;
  margin-bottom: 14px;
}
.figure,
.card {
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 10px;
  padding: 18px 20px;
  min-width: 0;
}
.figure h2 {
  font-size: 13px;
  font-weight: 600;
  color: var(--soft);
  margin: 0;
}
.figure .value {
  font-size: 32px;
  line-height: 1.25;
  font-weight: 650;
  letter-spacing: -0.02em;
  margin: 2px 0 6px;
}
.figure.fail .value {
  color: var(--fail);
}
.figure .what {
  font-size: 12.5px;
  color: var(--soft);
}
.card {
  margin-bottom: 14px;
}
.alarm {
  background: var(--fail-soft);
  color: var(--fail);
  border-radius: 8px;
  padding: 10px 14px;
  margin: 0 0 14px;
  overflow-wrap: anywhere;
}
.wide {
  overflow-x: auto;
}
table {
  border-collapse: collapse;
  width: 100%;
  font-size: 14px;
}
th {
  text-align: left;
  font-weight: 600;
  font-size: 12px;
  color: var(--soft);
}
th,
td {
  padding: 6px 14px 6px 0;
  border-bottom: 1px solid var(--line);
  vertical-align: top;
}
tr:last-child td {
  border-bottom: 0;
}
th:last-child,
td:last-child {
  padding-right: 0;
}
.n {
  text-align: right;
  white-space: nowrap;
}
.findings {
  list-style: none;
  margin: 0;
  padding: 0;
}
.finding {
  display: grid;
  grid-template-columns: 20px 150px minmax(0, 1fr);
  gap: 12px;
  padding: 8px 0;
  border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere;
}
.finding:last-child {
  border-bottom: 0;
  padding-bottom: 0;
}
ul.limits,
ul.quiet {
  margin: 0;
  padding-left: 18px;
}
.limits li + li {
  margin-top: 6px;
}
.facts {
  margin: 0 0 10px;
}
.facts div {
  display: grid;
  grid-template-columns: 130px minmax(0, 1fr);
  gap: 12px;
  padding: 4px 0;
}
.facts dt {
  color: var(--soft);
  font-size: 13px;
}
.facts dd {
  margin: 0;
  overflow-wrap: anywhere;
}
details {
  margin-top: 12px;
}
summary {
  cursor: pointer;
  color: var(--soft);
  font-size: 14px;
}
details table {
  margin-top: 8px;
}
`;
