// A textarea marked data-rich-text becomes an editor with buttons; without this script it stays as
// it is. What the editor sends is sanitised by the server.
"use strict";

Object.assign(Trix.config.lang, {
  bold: "加粗", bullets: "项目列表", code: "代码", heading1: "小标题", indent: "增加缩进",
  italic: "斜体", link: "链接", numbers: "编号列表", outdent: "减少缩进", quote: "引用",
  redo: "重做", remove: "删除", strike: "删除线", undo: "撤销", unlink: "取消链接",
  url: "链接地址", urlPlaceholder: "填写网址…",
});
Trix.config.blockAttributes.heading1.tagName = "h2";

for (const source of document.querySelectorAll("textarea[data-rich-text]")) {
  const label = document.querySelector(`label[for="${source.id}"]`);
  const editor = document.createElement("trix-editor");
  editor.setAttribute("input", source.id);
  editor.setAttribute("aria-label", label.textContent.replace("*", "").trim());
  editor.className = "rich-text";
  source.hidden = true;
  // The label's own field is hidden: a touch goes to the editor.
  label.addEventListener("click", () => editor.focus());
  source.after(editor);
  // Files go with the notice, not into its text.
  editor.addEventListener("trix-file-accept", (event) => event.preventDefault());
}
