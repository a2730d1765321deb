// The largest resident sets of a running tool and of its workers, apart, as the kernel keeps them.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>
/// What <c>/proc</c> said until now. The kernel keeps each process's peak (VmHWM), so that only what is reached between the last look and the end is missed. The usage that a parent gets of a child
/// that ended would not do: it is one number for the child and all its own children.
/// </summary>
internal sealed class ProcessPeaks
{
    private readonly Dictionary<int, double> _workers = [];

    /// <summary>The tool's peak, 10⁶ bytes.</summary>
    public double ToolMegabytes { get; private set; }

    /// <summary>The peak of the largest worker, 10⁶ bytes; 0 where none was seen.</summary>
    public double WorkerMegabytes => _workers.Values.DefaultIfEmpty().Max();

    /// <summary>Workers that were seen.</summary>
    public int Workers => _workers.Count;

    /// <summary>The executable that the tool was when last seen; null where it was not.</summary>
    public string? Executable { get; private set; }

    /// <summary>Looks.</summary>
    /// <param name="tool">Its process.</param>
    public void Look(int tool)
    {
        try
        {
            ToolMegabytes = Math.Max(ToolMegabytes, Peak(tool)); // It is another program's where the tool becomes one.
            Executable = File.ResolveLinkTarget($"/proc/{tool}/exe", returnFinalTarget: false)?.FullName ?? Executable;
            foreach (int child in Children(tool).Where(IsWorker))
            {
                _workers[child] = Math.Max(_workers.GetValueOrDefault(child), Peak(child));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody of them has ended.
        }
    }

    private static double Peak(int process)
    {
        string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024 / 1e6;
    }

    /// <summary>Those of every thread: any may have started one.</summary>
    private static IEnumerable<int> Children(int process) =>
        from thread in Directory.EnumerateDirectories($"/proc/{process}/task")
        from child in File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)
        select int.Parse(child, CultureInfo.InvariantCulture);

    /// <summary>By its command line: until a child has that, it shares the tool's memory and would be counted as large.</summary>
    private static bool IsWorker(int process) => File.ReadAllText($"/proc/{process}/cmdline").Split('\0').Contains("worker");
}
