// The lines of stages that run side by side, each stage's together, so that a CI system can fold them.
namespace Scaling.Cli;

/// <summary>One group is open at a time and its lines come at once; those of other stages wait until it is closed. Calls come one at a time.</summary>
/// <param name="write">Takes a line.</param>
/// <param name="marks">Of the CI system.</param>
/// <param name="time">The clock.</param>
internal sealed class StageGroups(Action<string> write, LogMarks marks, TimeProvider time)
{
    private readonly List<Group> _groups = [];
    private readonly List<string> _between = [];

    /// <summary>A stage begins that has something to tell.</summary>
    /// <param name="stage">Its id.</param>
    /// <param name="title">What stands there when its lines are folded.</param>
    public void Begin(string stage, string title)
    {
        _groups.Add(new Group(stage, title));
        Advance();
    }

    /// <summary>A line.</summary>
    /// <param name="stage">Whose; null for nobody's, which comes at once.</param>
    /// <param name="text">The line.</param>
    public void Line(string? stage, string text)
    {
        if (stage is null || _groups.Count == 0 || _groups[0].Stage == stage)
        {
            write(text);
        }
        else
        {
            (_groups.Find(g => g.Stage == stage)?.Lines ?? _between).Add(text); // A stage with nothing to do has one line and no group.
        }
    }

    /// <summary>Whether progress of a stage can be seen now.</summary>
    /// <param name="stage">Its id.</param>
    public bool Shows(string stage) => _groups.Count == 0 || _groups[0].Stage == stage;

    /// <summary>A stage has ended.</summary>
    /// <param name="stage">Its id.</param>
    public void End(string stage)
    {
        if (_groups.Find(g => g.Stage == stage) is { } group)
        {
            group.Ended = true;
            Advance();
        }
    }

    /// <summary>Opens the first group, and closes what has ended.</summary>
    private void Advance()
    {
        while (_groups is [var first, ..])
        {
            if (!first.Open)
            {
                write(marks.Open(first.Stage, first.Title, time.GetUtcNow()));
                first.Open = true;
            }

            first.Lines.ForEach(write);
            first.Lines.Clear();
            if (!first.Ended)
            {
                return;
            }

            write(marks.Close(first.Stage, time.GetUtcNow()));
            _groups.RemoveAt(0);
            _between.ForEach(write);
            _between.Clear();
        }
    }

    private sealed class Group(string stage, string title)
    {
        public string Stage => stage;

        public string Title => title;

        public List<string> Lines { get; } = [];

        public bool Open { get; set; }

        public bool Ended { get; set; }
    }
}
