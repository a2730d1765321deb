// The packages of this repository in a folder, as `dotnet pack` makes them of what is built: what a new user installs from.
using System.Diagnostics;
using System.IO.Compression;
using Scaling.TestKit;

namespace Scaling.EndToEnd;

/// <summary>Packed once a test run, however many collections ask for it.</summary>
public sealed class PackedFeed
{
    /// <summary>For packing: the tool is compiled to a program where it has changed, which is minutes of a processor.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(15);

    private static readonly Lazy<string> Packed = new(Pack);

    /// <summary>`dotnet`, that of this test run where it is known.</summary>
    public static string Muxer { get; } = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";

    /// <summary>The folder of packages.</summary>
    public string Folder => Packed.Value;

    /// <summary>Their version, which is that of the repository.</summary>
    public string Version => Packages.Keys.Single(id => id.StartsWith("dotnet-scaling.", StringComparison.Ordinal))["dotnet-scaling.".Length..];

    /// <summary>Every package, by its file's name without the ending: path.</summary>
    public SortedDictionary<string, string> Packages => new(Directory.EnumerateFiles(Folder).ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => f), StringComparer.Ordinal);

    /// <summary>A package of this repository.</summary>
    /// <param name="id">Its id.</param>
    public ZipArchive Open(string id) => ZipFile.OpenRead(Packages[$"{id}.{Version}"]);

    /// <summary>
    /// A folder in which `dotnet` finds these packages and those of nuget.org, and keeps what it extracts of ours to itself: a package of one version is extracted once, and ours change from build to build.
    /// </summary>
    /// <param name="folder">Gets a <c>nuget.config</c>.</param>
    /// <param name="others">Further folders of packages.</param>
    public void Configure(TemporaryFolder folder, params string[] others)
    {
        string[] sources = [Folder, .. others];
        folder.Write("nuget.config", $"""
            <configuration>
              <packageSources>
                <clear />
                {string.Concat(sources.Select((source, i) => $"<add key=\"folder{i}\" value=\"{source}\" />"))}
                <add key="nuget.org" value="https://api.nuget.org/v3/index.json" />
              </packageSources>
              <config><add key="globalPackagesFolder" value="{folder["packages of this test"]}" /></config>
              <fallbackPackageFolders><clear /><add key="shared" value="{SharedPackages}" /></fallbackPackageFolders>
            </configuration>
            """);
    }

    /// <summary>Runs `dotnet` as a user would, in a folder, with a home of its own below it; what it printed.</summary>
    /// <param name="folder">Configured by <see cref="Configure"/>.</param>
    /// <param name="where">Working directory, relative to it.</param>
    /// <param name="arguments">One word each.</param>
    public static Ended Dotnet(TemporaryFolder folder, string where, params string[] arguments) => Tool.End(Start(folder, where, arguments));

    private static Process Start(TemporaryFolder folder, string where, params string[] arguments)
    {
        var start = new ProcessStartInfo(Muxer, arguments)
        {
            WorkingDirectory = folder[where], RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        // The test host's own variables would lead the SDK astray.
        foreach (string name in start.Environment.Keys.Where(n => n.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || n is "DOTNET_ROOT" or "NUGET_PACKAGES" or "VSTEST_RUNNER_DEBUG_ATTACHVS").ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["DOTNET_CLI_HOME"] = folder["home"];
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_GENERATE_ASPNET_CERTIFICATE"] = "false";
        start.Environment["SCALING_CACHE"] = folder["store"];
        start.Environment["SCALING_TRACE"] = "1"; // Says whether the compiled program runs.
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>The packages that this repository was restored with.</summary>
    public static string SharedPackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named ? named : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>The documented command, without building: what is packed is what the other tests run.</summary>
    private static string Pack()
    {
        string feed = Directory.CreateTempSubdirectory("scaling feed ").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(feed, recursive: true);

        // Two test processes that pack at once would write the same files.
        using var alone = WaitFor(Path.Combine(Path.GetTempPath(), "scaling-pack.lock"));
        using var outside = new TemporaryFolder();
        var packed = Tool.End(Start(outside, ".", "pack", Path.Combine(Repository.Root, "ScalingPipeline.sln"), "-c", Tool.Configuration, "--no-build", "-o", feed, "-v", "quiet"), Long);
        Assert.True(packed.ExitCode == 0, packed.Output + packed.Error);
        return feed;
    }

    private static FileStream WaitFor(string path)
    {
        for (var waited = Stopwatch.StartNew(); ; Thread.Sleep(100))
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (waited.Elapsed < Long)
            {
                // Another process packs.
            }
        }
    }
}

/// <summary>Tests that need the packages.</summary>
[CollectionDefinition("packages")]
public sealed class PackedCollection : ICollectionFixture<PackedFeed>;
