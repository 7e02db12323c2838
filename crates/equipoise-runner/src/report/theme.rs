//! Colours, lines and the little script. Colours after Okabe and Ito (2008), lightened for dark pages; markers and
//! dashes repeat what colour says. Everything hangs on CSS variables, so one picture serves light, dark and print.

/// Light, then dark: paper, ink, muted ink, lines, banner, and eight series.
const LIGHT: &str = "--paper:#fff;--ink:#1b1f24;--muted:#57606a;--rule:#d0d7de;--banner:#fff4d6;--soft:#f4f6f8;--link:#0058a3;\
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#cc79a7;--c4:#56b4e9;--c5:#b97a00;--c6:#8a8000;--c7:#6e7781;";
const DARK: &str = "--paper:#14181d;--ink:#e6e9ed;--muted:#a3acb6;--rule:#3a424c;--banner:#3a3113;--soft:#1c2229;--link:#79bdf2;\
--c0:#4aa8e0;--c1:#f08a4b;--c2:#35c79a;--c3:#e3a3c6;--c4:#9ad4f5;--c5:#e8b23c;--c6:#e0d75a;--c7:#9aa4af;";

/// The classes of pictures.
const PICTURE: &str = ".plot{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;color:var(--ink)}\
.plot text{fill:currentColor}.plot .muted{fill:var(--muted)}.plot .tick{fill:var(--muted);font-variant-numeric:tabular-nums}\
.plot .name,.plot .strong{font-weight:600}.plot .label,.plot .strong,.plot .note,.plot .muted{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}\
.axis{stroke:var(--muted);stroke-width:1;fill:none}.zero{stroke:var(--muted);stroke-width:1;stroke-dasharray:3 3}\
.rowline{stroke:var(--rule);stroke-width:1}.leader{stroke:var(--rule);stroke-width:1}\
.bracket{fill:none;stroke:var(--muted);stroke-width:1.2}\
.curve{fill:none;stroke:var(--s,var(--ink));stroke-width:2;stroke-linejoin:round}.ref{stroke:var(--s);stroke-width:1.5;stroke-dasharray:6 4}\
.thin{fill:none;stroke:var(--s);stroke-width:1.2;opacity:.55}.band{fill:var(--s);opacity:.16;stroke:none}.band.faint{opacity:.08}.series.off{display:none}\
.whisker{stroke:var(--s);stroke-width:1.6}.pt{fill:var(--s);stroke:var(--paper);stroke-width:1}.pt.hollow{fill:var(--paper);stroke:var(--s);stroke-width:1.8}\
.bar{fill:var(--s)}.d1 .curve,svg.d1 .curve{stroke-dasharray:8 3}.d2 .curve,svg.d2 .curve{stroke-dasharray:2 3}.d3 .curve,svg.d3 .curve{stroke-dasharray:8 3 2 3}\
.c0{--s:var(--c0)}.c1{--s:var(--c1)}.c2{--s:var(--c2)}.c3{--s:var(--c3)}.c4{--s:var(--c4)}.c5{--s:var(--c5)}.c6{--s:var(--c6)}.c7{--s:var(--c7)}";

/// The page around them.
const PAGE: &str = "*{box-sizing:border-box}html{color-scheme:light dark;scroll-padding-top:1rem}\
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;overflow-wrap:break-word}\
header,main,footer{max-width:800px;margin:0 auto;padding:0 20px}h1{font-size:1.7rem;line-height:1.2;margin:1.2rem 0 .3rem}\
h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:1px solid var(--rule)}h3{font-size:1.05rem;margin:1.6rem 0 .4rem}p{margin:.5rem 0}\
a{color:var(--link)}a:focus-visible,button:focus-visible,figure:focus-visible,.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:3px}\
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--paper);padding:6px 10px;z-index:3}\
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:.8rem 0}.banner{background:var(--banner);border-left:4px solid var(--c5);padding:.6rem .9rem;margin:1rem 0;font-weight:600}\
.headline{font-size:1.15rem}.question{color:var(--muted);font-size:1.05rem}.small,caption{font-size:.86rem;color:var(--muted)}.small a{margin-right:.8rem;white-space:nowrap}\
.plain{background:var(--soft);border-left:4px solid var(--c0);padding:.5rem .9rem;margin:1rem 0}.plain p{margin:.25rem 0}\
figure{margin:1.4rem 0;padding:0}.figtitle{font-weight:600;margin:0 0 .4rem}figcaption{margin-top:.3rem}.plot{max-width:100%;height:auto;display:block}.narrow{display:none}\
.key{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;list-style:none;margin:.4rem 0;padding:0;font-size:.88rem}.key li,.key button{display:inline-flex;align-items:center;gap:.4rem}\
.key svg{flex:none}.key button{font:inherit;color:inherit;background:none;border:0;padding:.25rem .1rem;cursor:pointer;text-align:left}.key button[aria-pressed=false]{opacity:.6;text-decoration:line-through}.key li.off,.scripted{display:none}.js .key li.off{display:inline-flex}.js .scripted{display:inline}\
.series.off{display:none}.scroll{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;font-size:.88rem;min-width:100%}caption{text-align:left;padding:.2rem 0 .4rem;caption-side:top}caption span{display:inline-block;position:sticky;left:0;max-width:calc(100vw - 28px)}\
th,td{padding:.32rem .6rem .32rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);min-width:4.5rem;overflow-wrap:normal}thead th{border-bottom:2px solid var(--muted)}\
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;padding-left:.4rem;min-width:3.4rem}td.n{white-space:nowrap}td:not(.n){min-width:7.5rem}td.w{white-space:normal;min-width:9rem}.n+th:not(.n),.n+td:not(.n){padding-left:1rem}tbody th{font-weight:500;min-width:9.5rem;position:sticky;left:0;background:var(--paper)}.card h3{margin-top:.5rem}.card{border:1px solid var(--rule);border-radius:6px;padding:.4rem 1rem;margin:1rem 0}\
dl{display:grid;grid-template-columns:minmax(7rem,11rem) minmax(0,1fr);gap:.15rem 1rem;font-size:.92rem}dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}pre{background:var(--soft);padding:.7rem;overflow-x:auto;white-space:pre-wrap}\
code{font-size:.9em}summary{cursor:pointer;font-weight:600}footer{padding-bottom:3rem}.tip{position:fixed;z-index:4;max-width:280px;background:var(--ink);color:var(--paper);padding:.3rem .55rem;border-radius:4px;font-size:.84rem;pointer-events:none}\
@media (max-width:620px){#table-arms :is(th,td):nth-child(2){display:none}table{font-size:.82rem}tbody th{min-width:5.8rem}th,td{padding-right:.35rem}td:not(.n){min-width:4.2rem}.wide{display:none}.narrow{display:block}header,main,footer{padding:0 14px}h1{font-size:1.4rem}dl{grid-template-columns:1fr}dt{margin-top:.3rem}}\
@media print{nav,.skip,.tip{display:none}body{font-size:10.5pt}.wide{display:block}.narrow{display:none}header,main,footer{max-width:none}figure,.card,tr{break-inside:avoid}h2,h3,.figtitle,thead{break-after:avoid}.scroll{overflow:visible}.small a{display:none}details>*{display:block}details::details-content{content-visibility:visible;display:block}}";

/// Hover values and series toggles; everything can be read without it.
pub(super) const SCRIPT: &str = "(function(){var d=document,t=d.createElement('div');t.className='tip';t.hidden=true;t.setAttribute('aria-hidden','true');d.body.appendChild(t);d.documentElement.classList.add('js');\
d.querySelectorAll('[data-v]>title').forEach(function(e){e.parentNode.setAttribute('aria-label',e.textContent);e.remove()});\
d.addEventListener('pointermove',function(v){var e=v.target.closest?v.target.closest('[data-v]'):null;if(!e){t.hidden=true;return}\
t.textContent=e.getAttribute('data-v');t.hidden=false;var w=t.offsetWidth,x=Math.min(v.clientX+12,innerWidth-w-8);t.style.left=Math.max(4,x)+'px';t.style.top=Math.max(4,v.clientY-t.offsetHeight-10)+'px'});\
d.querySelectorAll('.key li').forEach(function(l){var b=d.createElement('button'),f=l.closest('figure'),s=l.getAttribute('data-s');b.type='button';b.setAttribute('aria-pressed',!l.classList.contains('off'));\
while(l.firstChild)b.appendChild(l.firstChild);l.appendChild(b);b.addEventListener('click',function(){var on=b.getAttribute('aria-pressed')!=='true';b.setAttribute('aria-pressed',on);\
f.querySelectorAll('.plot [data-s]').forEach(function(g){if(g.getAttribute('data-s')===s)g.classList.toggle('off',!on)})})})})();";

/// Styles for an SVG file that stands alone.
pub(super) fn picture_css() -> String {
    format!(
        "svg{{{LIGHT}background:var(--paper)}}@media (prefers-color-scheme:dark){{svg{{{DARK}}}}}{PICTURE}"
    )
}

/// Styles for the page.
pub(super) fn page_css() -> String {
    format!(":root{{{LIGHT}}}@media screen and (prefers-color-scheme:dark){{:root{{{DARK}}}}}{PAGE}{PICTURE}")
}
