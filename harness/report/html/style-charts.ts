/** The charts. Widths are per cent, so that text keeps its size at every width. */
export const CHART_STYLE = `
.chart {
  margin: 0;
}
.row {
  display: grid;
  grid-template-columns: 170px minmax(0, 1fr);
  gap: 12px;
  align-items: center;
  margin-top: 8px;
}
.label {
  font-size: 13px;
  line-height: 1.25;
  overflow-wrap: anywhere;
}
.label small {
  display: block;
}
.plot {
  position: relative;
  height: 38px;
  border-radius: 4px;
  overflow: hidden;
  background: var(--paper);
}
.bands .plot,
.stage .plot {
  height: 24px;
}
.tall .plot {
  height: 150px;
}
.tall {
  align-items: stretch;
}
.label.y {
  display: flex;
  flex-direction: column;
  justify-content: space-between;
  text-align: right;
  color: var(--soft);
  font-size: 12px;
}
.plot svg {
  display: block;
  width: 100%;
  height: 100%;
}
.band {
  position: absolute;
  top: 0;
  bottom: 0;
  padding: 0 8px;
  font-size: 12px;
  line-height: 24px;
  color: #fff;
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
  border-radius: 4px;
}
@media (prefers-color-scheme: dark) {
  .band {
    color: #15171a;
  }
}
.plot-axis {
  position: relative;
  height: 18px;
}
.axis {
  margin-top: 2px;
}
.axis .label {
  color: var(--soft);
  font-size: 12px;
}
.ticks span {
  position: absolute;
  transform: translateX(-50%);
  font-size: 12px;
  color: var(--soft);
  white-space: nowrap;
}
.grid {
  stroke: var(--line);
  stroke-width: 1;
  vector-effect: non-scaling-stroke;
}
.fault-shade {
  fill: var(--shade);
}
rect.good,
i.good {
  fill: var(--good);
  background: var(--good);
}
rect.slow,
i.slow {
  fill: var(--slow);
  background: var(--slow);
}
rect.failed,
i.failed {
  fill: var(--failed);
  background: var(--failed);
}
rect.unknown,
i.unknown {
  fill: var(--unknown);
  background: var(--unknown);
}
i.fault,
.band.fault {
  background: var(--shade);
}
.band.fault {
  color: var(--fail);
  border-left: 2px solid var(--failed);
  border-right: 2px solid var(--failed);
}
rect.measured,
i.measured {
  fill: var(--r0);
  background: var(--r0);
}
rect.engine,
i.engine {
  fill: var(--r1);
  background: var(--r1);
}
rect.unsure {
  fill: var(--shade);
}
.band.region-0,
i.region-0 {
  background: var(--r0);
}
.band.region-1,
i.region-1 {
  background: var(--r1);
}
.band.region-2,
i.region-2 {
  background: var(--r2);
}
.band.region-3,
i.region-3 {
  background: var(--r3);
}
path.line {
  fill: none;
  stroke-width: 2;
  vector-effect: non-scaling-stroke;
  stroke-linejoin: round;
}
path.region-0 {
  stroke: var(--r0);
}
path.region-1 {
  stroke: var(--r1);
}
path.region-2 {
  stroke: var(--r2);
}
path.region-3 {
  stroke: var(--r3);
}
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 16px;
  font-size: 12.5px;
  color: var(--soft);
}
.legend i {
  display: inline-block;
  width: 11px;
  height: 11px;
  border-radius: 3px;
  margin-right: 6px;
  vertical-align: -1px;
}
.ticks.points span {
  color: var(--ink);
  font-weight: 600;
  font-size: 11px;
}
.stage .label {
  display: flex;
  justify-content: space-between;
  gap: 8px;
}
.stage b {
  white-space: nowrap;
}
.after {
  margin-top: 12px;
}
.gauge {
  position: relative;
  height: 6px;
  border-radius: 3px;
  background: var(--line);
  margin: 8px 0;
  overflow: hidden;
}
.gauge i {
  position: absolute;
  top: 0;
  bottom: 0;
}
.gauge .done {
  background: var(--good);
}
.gauge .open {
  background: var(--slow);
}
.gauge .limit {
  width: 2px;
  background: var(--failed);
}
.figure.fail .gauge .done {
  background: var(--failed);
}
`;
