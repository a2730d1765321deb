// Another machine in small: another clock and time zone, another current directory.
namespace Scaling.TestKit.Conformance;

/// <summary>While it lives, the process believes to be elsewhere. Time zone and current directory belong to the whole process, so only one lives at a time.</summary>
internal sealed class Elsewhere : IDisposable
{
    private static readonly Lock One = new();

    private readonly string _directory;
    private readonly string? _zone;
    private readonly TemporaryFolder _here = new();

    public Elsewhere()
    {
        One.Enter();
        _directory = Environment.CurrentDirectory;
        _zone = Environment.GetEnvironmentVariable("TZ");
        Environment.CurrentDirectory = _here.Path;
        Environment.SetEnvironmentVariable("TZ", "Asia/Kathmandu");
        TimeZoneInfo.ClearCachedData();
    }

    /// <summary>Ten years on.</summary>
    public TimeProvider Time { get; } = new Later();

    /// <summary>What was written into the current directory.</summary>
    public IReadOnlyList<string> WrittenHere => [.. Trial.Files(_here.Path).Keys];

    public void Dispose()
    {
        Environment.CurrentDirectory = _directory;
        Environment.SetEnvironmentVariable("TZ", _zone);
        TimeZoneInfo.ClearCachedData();
        _here.Dispose();
        One.Exit();
    }

    private sealed class Later : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("elsewhere", new TimeSpan(5, 45, 0), "elsewhere", "elsewhere");

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(3653.25);
    }
}
