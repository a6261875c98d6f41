"""Questions to a page in a browser, as JavaScript: each answers with what is wrong."""

OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"

PAGE_WIDTH = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"

OVERFLOW = """() => {
    const page = document.documentElement.clientWidth + 1, found = [], paper = matchMedia('print').matches;
    for (const one of document.querySelectorAll('body *')) {
        const within = one.closest('.wide');
        if (one.closest('svg') || (within && one !== within && getComputedStyle(within).overflowX === 'auto'))
            continue;  // a wide table scrolls by itself
        const edge = paper && one.closest('.many') ? 1018 : page;  // these are printed across the sheet
        const box = one.getBoundingClientRect();
        if (box.width && box.right > edge) found.push([one.tagName, one.textContent.slice(0, 40), box.right]);
    }
    return found.slice(0, 9);
}"""
"""Elements that reach beyond the right edge of the page."""

CLIPPED = """() => {
    const found = [];
    for (const one of document.querySelectorAll('body *')) {
        if (one.closest('svg') || one.classList.contains('wide')) continue;
        const style = getComputedStyle(one);
        if (style.display === 'inline' || !one.clientWidth) continue;
        if (one.scrollWidth > one.clientWidth + 1 || style.textOverflow === 'ellipsis')
            found.push([one.tagName, one.textContent.slice(0, 40)]);
    }
    for (const table of document.querySelectorAll('.wide')) {  // what does not fit can be scrolled to
        if (table.scrollWidth > table.clientWidth + 1 && getComputedStyle(table).overflowX !== 'auto')
            found.push(['wide', table.textContent.slice(0, 40)]);
    }
    return found.slice(0, 9);
}"""
"""Elements whose text is wider than they are."""

OVERLAPS = """() => {
    const found = [];
    const boxes = (all) => [...all].map(one => [one, one.getBoundingClientRect()]).filter(x => x[1].width);
    const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
    for (const chart of document.querySelectorAll('svg')) {
        const edge = chart.getBoundingClientRect(), texts = boxes(chart.querySelectorAll('text'));
        texts.forEach(([one, box], n) => {
            if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1
                || box.bottom > edge.bottom + 1) found.push(['out of the chart', one.textContent]);
            texts.slice(0, n).forEach(([other, its]) => {
                if (over(box, its)) found.push([one.textContent, other.textContent]);
            });
        });
    }
    for (const section of document.querySelectorAll('main > section, body')) {
        const parts = boxes(section.children);
        parts.forEach(([one, box], n) => parts.slice(0, n).forEach(([other, its]) => {
            if (over(box, its)) found.push([one.tagName, other.tagName, one.textContent.slice(0, 40)]);
        }));
    }
    return found.slice(0, 9);
}"""
"""Texts of a chart over one another or out of it, and blocks over one another."""
