import { darkRules } from './colors.js';

/** The colors of pages, as CSS variables. */
export const tokens = {
  light: '--page:#fff;--ink:#1a1a1a;--quiet:#595959;--line:#d9d9d9;--soft:#f5f6f7;--accent:#0072b2',
  dark: '--page:#15181c;--ink:#e8e8e8;--quiet:#a8adb4;--line:#363b42;--soft:#1f242a;--accent:#56b4e9',
};

/** The style sheet of the page: paper on white, the same on dark, one column on a phone. */
export function style(): string {
  return `:root{${tokens.light}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:992px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px}
h2{font-size:19px;line-height:1.3;margin:48px 0 12px}
.facts{margin:0;color:var(--quiet)}
.verdict{margin:24px 0 0;padding:16px 20px;background:var(--soft);border-left:4px solid var(--accent);border-radius:4px;font-size:17px}
.verdict p{margin:0}
.verdict p+p{margin-top:10px}
.notes{color:var(--quiet);padding-left:20px}
figure{margin:0}
figcaption{color:var(--quiet);font-size:14px;margin-top:12px;max-width:76ch}
figcaption p{margin:0 0 6px}
.legend{display:flex;flex-wrap:wrap;gap:4px 24px;list-style:none;margin:0 0 8px;padding:0;font-size:14px}
.legend li{display:flex;align-items:center;gap:8px}
.panels h3{flex:1 1 100%;font-size:15px;line-height:1.3;margin:10px 0 -4px}
.key{margin-bottom:8px}
.panels{display:flex;flex-wrap:wrap;gap:12px 24px}
.panel{flex:1 1 100%;min-width:0}
.panel svg{display:block;width:100%;height:auto;color:var(--ink)}
.panel svg text{white-space:pre}
.columns-2 .panel{flex-basis:400px}
.columns-3 .panel{flex-basis:260px}
.columns-4 .panel{flex-basis:212px}
.scroll{overflow-x:auto}
.scroll+.scroll{margin-top:28px}
.scroll:focus-visible,pre:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;min-width:100%}
caption{text-align:left;color:var(--quiet);padding-bottom:8px}
caption span{display:block;max-width:min(90ch,calc(100vw - 32px))}
th,td{padding:6px 0 6px 11px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top;white-space:nowrap}
thead th{font-weight:600;vertical-align:bottom;white-space:normal;border-bottom-color:var(--quiet)}
th:first-child{text-align:left;padding-left:0;font-weight:600}
.dot{margin-right:8px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0 0 16px}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer}
pre{background:var(--soft);padding:16px;overflow-x:auto;font-size:13px;border-radius:4px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
code{font-size:.92em}
@media (max-width:560px){.columns-4 .panel,.columns-3 .panel{flex-basis:150px}.panels{gap:12px}main{padding:24px 16px 48px}h1{font-size:24px}h2{margin-top:36px}.verdict{font-size:16px;padding:12px 16px}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
@media (prefers-color-scheme:dark){
:root{${tokens.dark}}
.panel [stroke="white"]{stroke:var(--page)}
.panel [fill="white"]{fill:var(--page)}
${darkRules()}
}
@media print{main{max-width:none;padding:0}.scroll{overflow:visible}section,figure,tr{break-inside:avoid}details{display:none}}`;
}
