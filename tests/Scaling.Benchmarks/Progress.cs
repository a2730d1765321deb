// Tells on the error stream how far a long computation is, how fast, and how long it still takes.
using System.Diagnostics;

namespace Scaling.Benchmarks;

/// <summary>Counts what is done; any thread may.</summary>
/// <param name="what">What is counted, plural.</param>
/// <param name="total">How many there are.</param>
/// <param name="output">Where to.</param>
internal sealed class Progress(string what, int total, TextWriter output)
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(10);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private TimeSpan _told;
    private int _done;

    /// <summary>One more is done.</summary>
    public void Step()
    {
        lock (_gate)
        {
            _done++;
            var now = _clock.Elapsed;
            if (now - _told >= s_every || _done == total)
            {
                _told = now;
                double rate = _done / now.TotalSeconds;
                output.WriteLine($"{_done}/{total} {what}, {rate:0.0} a second, {TimeSpan.FromSeconds((total - _done) / rate):hh\\:mm\\:ss} left");
            }
        }
    }
}
