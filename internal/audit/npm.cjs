// npm.cjs LOCKFILE ANSWER: says what npm audit --json answered. It ends with 1 if that is a critical finding, and with 3 if it is no
// audit at all: only the registry's answer has a version, what npm says about an answer that did not come has none.
const { readFileSync } = require('node:fs');
const [lock, file] = process.argv.slice(2);

const text = readFileSync(file, 'utf8').trim();
const answer = text.startsWith('{') ? JSON.parse(text) : {};
if (!answer.auditReportVersion) process.exit(3);
const { critical, total } = answer.metadata.vulnerabilities;
console.log(`${lock}: ${total} packages with known vulnerabilities, ${critical} of them critical`);
for (const [name, { severity }] of Object.entries(answer.vulnerabilities))
  console.log(`  ${severity}: ${name}`);
process.exit(critical ? 1 : 0);
