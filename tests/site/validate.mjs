// Every page through html-validate's rules for the standard.
import { readFileSync } from "node:fs";
import { HtmlValidate } from "html-validate";

const { folder, pages } = JSON.parse(process.argv[2]);
const validate = new HtmlValidate({ root: true, extends: ["html-validate:standard"] });
const found = {};
for (const name of pages) {
  const report = await validate.validateString(readFileSync(`${folder}/${name}`, "utf8"));
  const messages = report.results.flatMap((result) => result.messages);
  if (messages.length) found[name] = messages.map((one) => `${one.line}:${one.column} ${one.ruleId}: ${one.message}`);
}
process.stdout.write(`${JSON.stringify(found)}\n`);
