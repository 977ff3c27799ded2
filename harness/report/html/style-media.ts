/** Phone and paper; comes last because it overrides. */
export const MEDIA_STYLE = `
@media (max-width: 640px) {
  main {
    padding: 18px 12px 40px;
  }
  h1 {
    font-size: 24px;
  }
  .reason {
    font-size: 16px;
  }
  .figures {
    grid-template-columns: 1fr;
    gap: 10px;
  }
  .figure {
    padding: 14px 16px;
  }
  .figure .value {
    font-size: 28px;
  }
  .card {
    padding: 16px 14px;
  }
  .row {
    grid-template-columns: minmax(0, 1fr);
    gap: 3px;
  }
  .label small {
    display: inline;
    margin-left: 8px;
  }
  .tall {
    grid-template-columns: 44px minmax(0, 1fr);
    gap: 6px;
  }
  .ticks .minor {
    display: none;
  }
  .finding {
    grid-template-columns: 20px minmax(0, 1fr);
    gap: 2px 12px;
  }
  .finding div {
    grid-column: 2;
  }
  .facts div {
    grid-template-columns: minmax(0, 1fr);
    gap: 0;
  }
  th,
  td {
    padding-right: 10px;
  }
}
@media print {
  :root {
    --paper: #fff;
  }
  body {
    font-size: 12px;
    print-color-adjust: exact;
    -webkit-print-color-adjust: exact;
  }
  main {
    max-width: none;
    padding: 0;
  }
  .card,
  .figure,
  .finding,
  tr {
    break-inside: avoid;
  }
  .plot {
    border: 1px solid var(--line);
  }
}
`;
