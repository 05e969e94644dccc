/* HTML that is also well-formed XML, so that any parser reads the page. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H
#include "base/text.h"

/* Appends text for content or a quoted attribute: the one place where that is made safe.  Control
 * characters, which XML does not have, become blanks. */
void html_escape(struct text *out, const char *s);
/* <tag class="class">text</tag>; class NULL: none. */
void html_element(struct text *out, const char *tag, const char *class, const char *s);
/* Everything before and after the page's content; styles are in it, scripts are not. */
void html_open(struct text *out, const char *title);
void html_close(struct text *out);
/* Appends the <svg> element of an image by gnuplot, without its prolog; its ids get "fNUMBER-" in
 * front, so that several images share a page.  false, with nothing appended: there is none. */
bool html_svg(struct text *out, const char *image, int number);

#endif
