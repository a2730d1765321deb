// A pipeline's folder with a nuget.config, sources, a cache and a global packages folder of its own.
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Plugins.Tests;

internal sealed class Workplace : IDisposable
{
    private readonly List<(string Name, string Address, string? More)> _sources = [];
    private string _config = "";
    private string? _written;

    public Workplace(bool withFeed = true)
    {
        if (withFeed)
        {
            Directory.CreateDirectory(Feed);
            Source("folder", Feed);
        }
    }

    public TemporaryFolder Folder { get; } = new();

    public string Feed => Folder["feed"];

    public string Cache => Folder["cache"];

    public string Global => Folder["global packages"];

    /// <summary>More lines for nuget.config's <c>config</c> section.</summary>
    public string Settings { get; set; } = "";

    public Ears Heard { get; } = new();

    public Workplace Source(string name, string address, string? more = null)
    {
        _sources.Add((name, address, more));
        return this;
    }

    public Workplace Config(string more)
    {
        _config += more;
        return this;
    }

    public void Add(params Nupkg[] packages)
    {
        foreach (var package in packages)
        {
            package.Into(Feed);
        }
    }

    public PackageSources Open()
    {
        string config = $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Global}" />{Settings}</config>
              <fallbackPackageFolders><clear /></fallbackPackageFolders>
              <packageSources><clear />{string.Concat(_sources.Select(s => $"<add key=\"{s.Name}\" value=\"{s.Address}\" allowInsecureConnections=\"true\" />"))}</packageSources>
              {string.Concat(_sources.Select(s => s.More))}
              {_config}
            </configuration>
            """;
        lock (_sources)
        {
            if (config != _written)
            {
                Folder.Write("pipeline/nuget.config", _written = config);
            }
        }

        return PackageSources.Open(Folder["pipeline"], Cache, Heard);
    }

    public async Task<PluginClosure> Resolve(string id, string version)
    {
        using var sources = Open();
        return await sources.Resolve(new PackageRequest(id, version), default);
    }

    public async Task<PluginLayout> LayOut(PluginClosure closure)
    {
        using var sources = Open();
        return await sources.LayOut(closure, default);
    }

    public async Task<PluginLayout> LayOut(string id, string version) => await LayOut(await Resolve(id, version));

    /// <summary>A finding with the machine's paths and ports taken out.</summary>
    public string Clean(string text) => System.Text.RegularExpressions.Regex.Replace(text.Replace(Folder.Path, "TEMP"), @"127\.0\.0\.1:\d+|localhost:\d+", "HOST");

    public void Dispose() => Folder.Dispose();
}

/// <summary>What an observer was told.</summary>
internal sealed class Ears : IPackageObserver
{
    public List<MissingPackage> MissingPackages { get; } = [];

    public List<(string Package, long Done, long? Total)> Steps { get; } = [];

    public List<InstalledPackage> InstalledPackages { get; } = [];

    public List<Diagnostic> Warnings { get; } = [];

    /// <summary>Called at each step.</summary>
    public Action<long>? OnStep { get; set; }

    public void Missing(IReadOnlyList<MissingPackage> packages) => MissingPackages.AddRange(packages);

    public void Progress(MissingPackage package, long done, long? total)
    {
        Steps.Add(($"{package}", done, total));
        OnStep?.Invoke(done);
    }

    public void Installed(InstalledPackage package) => InstalledPackages.Add(package);

    public void Warned(Diagnostic warning) => Warnings.Add(warning);
}
