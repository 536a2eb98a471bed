"""The paper's figures as studies: what each consists of, its runs, and the sheet that shows them.

`make.make_figure` walks the whole way. `plan` says what a figure is made of, `catalogue` lists the
eleven, `study` makes their runs and `kept` is one on disk, `panels` draws one panel, `sheet` lays
them out, `table` lists the losses.
"""
