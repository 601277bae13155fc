import type { ScenarioInput } from '../test/scripted-model/scenario.ts';

/** What the offline model answers: each conversation drives the real agent, its real commands and its real patches. */
const contactPage = `*** Begin Patch
*** Add File: contact.html
+<!doctype html>
+<html lang="en">
+  <head>
+    <meta charset="utf-8" />
+    <title>Contact · Harbour Bakery</title>
+    <link rel="stylesheet" href="style.css" />
+  </head>
+  <body>
+    <main>
+      <h1>Contact</h1>
+      <p>Quay 7, open from six to one. <a href="index.html">Home</a></p>
+    </main>
+  </body>
+</html>
*** Update File: index.html
@@
         <a href="about.html">About us</a>
+        <a href="contact.html">Contact</a>
       </nav>
*** End Patch`;

const priceFix = `*** Begin Patch
*** Update File: lib/price.js
@@
-  const free = Math.floor(loaves / 10);
+  const free = Math.floor(loaves / 11);
   return (loaves - free) * centsEach;
*** End Patch`;

const brokenMenu = `*** Begin Patch
*** Update File: index.html
@@
         <a href="about.html">About us</a>
+        <a href="menu.html">Menu</a>
       </nav>
*** End Patch`;

const scenario: ScenarioInput = {
  conversations: [
    {
      name: 'contact page',
      when: 'Add a contact page',
      turns: [
        {
          text: 'I look at how the pages are built.',
          commands: ['ls && sed -n 1,20p index.html'],
          gapMs: 20,
        },
        { text: 'I add the page and link it from the navigation.', patch: contactPage, gapMs: 20 },
        { text: 'Now I check that no link is broken.', commands: ['node scripts/check-links.js'], gapMs: 20 },
        {
          final: {
            text: 'The contact page stands and is linked.',
            files: [
              { change: 'created', path: 'contact.html' },
              { change: 'modified', path: 'index.html' },
            ],
            summary: 'Added a contact page with address and hours, linked from the navigation.',
          },
          gapMs: 20,
        },
      ],
    },
    {
      name: 'failing test',
      when: 'Fix the failing test',
      turns: [
        {
          text: 'First I see which test fails.',
          commands: ['node --test 2>&1 | grep -E "^not ok|expected|actual" || true'],
          gapMs: 20,
        },
        {
          text: 'The free loaf comes one too early: every eleventh is free, not every tenth.',
          patch: priceFix,
          gapMs: 20,
        },
        { text: 'And run the tests again.', commands: ['node --test 2>&1 | tail -8'], gapMs: 20 },
        {
          final: {
            text: 'All tests pass.',
            files: [{ change: 'modified', path: 'lib/price.js' }],
            summary: 'The free loaf was counted per ten instead of per eleven; fixed, and the tests pass.',
          },
          gapMs: 20,
        },
      ],
    },
    {
      name: 'menu, with a mistake',
      when: 'Add a menu page',
      turns: [
        { text: 'I link the menu from the navigation.', patch: brokenMenu, gapMs: 20 },
        {
          // The agent says that it made a page which it never wrote.
          final: {
            text: 'The menu page is done.',
            files: [
              { change: 'created', path: 'menu.html' },
              { change: 'modified', path: 'index.html' },
            ],
            summary: 'Added a menu page and linked it.',
          },
          gapMs: 20,
        },
      ],
    },
  ],
};

export { scenario };
