// The theme, set before the first paint: as the system has it, light or dark.
{
  const kept = localStorage.getItem("omma.theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
}
