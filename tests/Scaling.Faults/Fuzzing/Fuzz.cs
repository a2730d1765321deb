// Many cases, each known by its number, under a watch.
using System.Diagnostics;
using System.Globalization;

namespace Scaling.Faults.Fuzzing;

/// <summary>What is fuzzed.</summary>
/// <param name="Count">Cases.</param>
/// <param name="Seed">Of all.</param>
/// <param name="Folder">Absolute; cases that were not survived are kept there as <c>fuzz-N.TARGET</c>.</param>
internal sealed record FuzzSettings(int Count, int Seed, string Folder)
{
    /// <summary>The only case to try; null: all. Default: null.</summary>
    public int? Only { get; init; }
}

/// <summary>Runs cases one after the other.</summary>
/// <param name="settings">Which.</param>
/// <param name="targets">Pipelines get half of the cases, the others share the rest.</param>
internal sealed class Fuzz(FuzzSettings settings, IReadOnlyList<Target> targets)
{
    /// <summary>A case takes a millisecond; on a machine that does much else it may be made to wait.</summary>
    private static readonly TimeSpan LongestCase = TimeSpan.FromSeconds(20);

    /// <summary>More than this no file of a mebibyte may cost.</summary>
    private const long MostBytes = 1L << 30;

    private readonly Dictionary<string, int> _counts = [];
    private readonly Dictionary<string, (int Times, int Case, string What)> _broken = [];
    private volatile byte[] _content = [];
    private volatile string _what = "";
    private long _begun;

    /// <summary>Tries every case.</summary>
    /// <returns>Whether each was survived.</returns>
    public bool Run(TextWriter output, TextWriter progress)
    {
        using var watch = new Timer(_ => Watch(progress), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var clock = Stopwatch.StartNew();
        var told = TimeSpan.Zero;
        for (int i = settings.Only ?? 0; i < (settings.Only + 1 ?? settings.Count); i++)
        {
            Try(i, progress);
            if (clock.Elapsed - told > TimeSpan.FromSeconds(10))
            {
                told = clock.Elapsed;
                double rate = (i + 1) / told.TotalSeconds;
                progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{i + 1}/{settings.Count} cases, {rate:0} a second, {TimeSpan.FromSeconds((settings.Count - i - 1) / rate):hh\\:mm\\:ss} left, {_broken.Count} ways to break it"));
            }
        }

        Interlocked.Exchange(ref _begun, 0);
        output.WriteLine("| file | refused | missed | read | broken |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (var target in targets)
        {
            output.WriteLine($"| {target.Name} | {Count(target, "refused")} | {Count(target, "missed")} | {Count(target, "read")} | {Count(target, "broken")} |");
        }

        using var process = Process.GetCurrentProcess();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{_counts.Values.Sum()} cases in {clock.Elapsed.TotalSeconds:0} s, seed {settings.Seed}; {process.PeakWorkingSet64 >> 20} MiB at the most."));
        foreach (var (what, (times, first, _)) in _broken)
        {
            output.WriteLine($"{times} times, first in case {first}: {what}");
        }

        return _broken.Count == 0;
    }

    private int Count(Target target, string answer) => _counts.GetValueOrDefault($"{target.Name}/{answer}");

    private void Try(int number, TextWriter progress)
    {
        var random = new Random(unchecked((settings.Seed * 1_000_003) + number));
        var target = random.Next(2) == 0 ? targets[0] : targets[random.Next(targets.Count)];
        var mutator = new Mutator(random);
        byte[] content = mutator.Mutated(target.Corpus[random.Next(target.Corpus.Count)], target.Corpus, text => target.ByStructure(mutator, text));
        _content = content;
        _what = $"{number}.{target.Name.Replace(' ', '-')}";
        Interlocked.Exchange(ref _begun, Stopwatch.GetTimestamp());
        long bytes = GC.GetAllocatedBytesForCurrentThread();
        string answer = "broken";
        try
        {
            answer = target.Read(content);
            bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;
            if (bytes > MostBytes)
            {
                Break(number, $"{target.Name}: it took {bytes >> 20} MiB of memory", "", progress);
            }
        }
        catch (Exception e)
        {
            // One line for all cases that fail at one place.
            string place = e is NotSoException ? "" : e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("Scaling.Engine", StringComparison.Ordinal) || l.Contains("Scaling.Sdk", StringComparison.Ordinal))?.Trim() ?? "";
            string message = e is NotSoException ? e.Message.Split(':')[0].Split('/')[0] : e.GetType().Name;
            Break(number, $"{target.Name}: {message} {place}", e.ToString(), progress);
        }

        Interlocked.Exchange(ref _begun, 0);
        string counted = $"{target.Name}/{answer}";
        _counts[counted] = _counts.GetValueOrDefault(counted) + 1;
    }

    private void Break(int number, string what, string trace, TextWriter progress)
    {
        bool first = !_broken.TryGetValue(what, out var known);
        _broken[what] = first ? (1, number, what) : known with { Times = known.Times + 1 };
        if (first)
        {
            progress.WriteLine($"BROKEN in case {number}, kept as {Keep()}: {what}\n{trace}");
        }
    }

    private string Keep()
    {
        string path = Path.Combine(settings.Folder, $"fuzz-{_what}");
        File.WriteAllBytes(path, _content);
        return path;
    }

    private void Watch(TextWriter progress)
    {
        long begun = Interlocked.Read(ref _begun);
        if (begun != 0 && Stopwatch.GetElapsedTime(begun) > LongestCase)
        {
            progress.WriteLine($"HUNG for {LongestCase.TotalSeconds:0} s in case {_what}, kept as {Keep()}");
            Environment.Exit(1);
        }
    }
}
