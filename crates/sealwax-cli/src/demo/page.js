// The theme lives in a cookie that this script reads: it must stay readable.
const readable = document.getElementById("readable");
const show = () => { readable.textContent = document.cookie || "nothing"; };
document.getElementById("theme").addEventListener("click", () => {
  const dark = /(?:^|; )theme=dark/.test(document.cookie);
  const theme = dark ? "light" : "dark";
  document.cookie = `theme=${theme}; Path=/`;
  document.documentElement.dataset.theme = theme;
  show();
});
show();
