"""How recognisable sketches are: the paper's quantitative evaluation (sections 4.3, C and F).

`clipasso evaluate` goes subjects (photos) -> grid, series (sketches) -> looks (document, foreign)
-> panel of judges, ink -> results -> report, page;
`clipasso study` goes from its report to a questionnaire for people, and from their answers to a
table.
"""
