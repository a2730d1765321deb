// Native packages come when they are needed, once, and only to a machine that can use them.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Execution;

public sealed class NativeSupplyTests : IDisposable
{
    private static readonly NativePackage Known = new("light", "1.0.0", "light-hash", null);
    private static readonly NativePackage Unknown = new("heavy", "2.0.0", null, null);

    private readonly TemporaryFolder _folder = new();
    private readonly FolderPackages _packages;

    public NativeSupplyTests()
    {
        _packages = new FolderPackages(_folder);
        _packages.Offer("light", "1.0.0", "light-hash");
        _packages.Offer("heavy", "2.0.0", "heavy-hash", needs: "heavy.part");
        _packages.Offer("heavy.part", "2.0.0", "part-hash");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Planning_fetches_nothing_and_asks_nobody_where_hashes_are_known()
    {
        var natives = await new NativeSupply(_packages).Look(Stage(Known), default);

        Assert.Equal([Known], natives);
        Assert.Equal((0, 0), (_packages.Looked, _packages.Fetched));
    }

    [Fact]
    public async Task A_package_without_a_hash_is_known_once_it_is_here_with_all_it_stands_for()
    {
        var supply = new NativeSupply(_packages);
        var before = await supply.Look(Stage(Unknown, Known), default);
        await supply.Bring(Stage(Unknown, Known), _ => Task.CompletedTask, default);
        var after = await new NativeSupply(_packages).Look(Stage(Unknown, Known), default);

        Assert.Equal([null, "light-hash"], before.Select(n => n.Sha512));
        Assert.Equal(["heavy 2.0.0 heavy-hash", "heavy.part 2.0.0 part-hash", "light 1.0.0 light-hash"], after.Select(n => $"{n} {n.Sha512}"));
        Assert.All(after, n => Assert.True(Directory.Exists(n.Folder)));
    }

    [Fact]
    public async Task They_are_fetched_once_a_run_however_many_ask_and_never_two_at_a_time()
    {
        var supply = new NativeSupply(_packages);
        int told = 0;
        var all = new TaskCompletionSource();
        _packages.Until = all.Task;
        StageNode[] stages = [Stage(Known), Stage(Known) with { Id = "same" }, Stage(Unknown, Known) with { Id = "other" }, Stage(Known) with { Id = "too" }];

        var asking = Enumerable.Range(0, 40).Select(i => Task.Run(() => supply.Bring(stages[i % 4], _ => Told(), default))).ToArray();
        await all.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Task.WhenAll(asking);

        Assert.Equal((2, 1), (_packages.Fetched, _packages.MostAtOnce)); // light, and heavy with light
        Assert.Equal(4, told); // Once a stage, whose rows ask all at once.

        Task Told()
        {
            if (Interlocked.Increment(ref told) == stages.Length)
            {
                all.SetResult();
            }

            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_machine_that_lacks_what_they_need_fetches_nothing()
    {
        var supply = new NativeSupply(_packages);
        var lacks = new StageFailedException("SCAL8207", "no GPU");

        Assert.Same(lacks, await Assert.ThrowsAsync<StageFailedException>(() => supply.Bring(Stage(Unknown), _ => Task.FromException(lacks), default)));

        Assert.Equal(0, _packages.Fetched);
    }

    [Fact]
    public async Task What_is_here_is_asked_for_nothing()
    {
        var here = Known with { Folder = _folder["anywhere"] };

        Assert.Equal([here], await new NativeSupply(null).Bring(Stage(here), _ => throw new InvalidOperationException("asked"), default));
    }

    [Fact]
    public async Task Where_nothing_can_be_fetched_the_missing_package_is_named()
    {
        var failure = await Assert.ThrowsAsync<StageFailedException>(() => new NativeSupply(null).Bring(Stage(Known), _ => Task.CompletedTask, default));

        Assert.Equal("SCAL6151", failure.Diagnostics[0].Code);
        Assert.Contains("'work' (work) needs the native package light 1.0.0", failure.Diagnostics[0].Message);
    }

    [Fact]
    public async Task A_package_with_other_bytes_than_the_plugin_was_built_with_is_refused()
    {
        var failure = await Assert.ThrowsAsync<StageFailedException>(() => new NativeSupply(_packages).Bring(Stage(Known with { Sha512 = "other" }), _ => Task.CompletedTask, default));

        Assert.Equal("SCAL6152", failure.Diagnostics[0].Code);
        Assert.Contains("its content hash is light-hash, expected other", failure.Diagnostics[0].Message);
        Assert.Contains(_folder["packages/light"], failure.Diagnostics[0].Message);
    }

    [Fact]
    public async Task A_stopped_fetch_ends_as_stopped()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new NativeSupply(_packages).Bring(Stage(Known), _ => Task.CompletedTask, stop.Token));
    }

    private static StageNode Stage(params NativePackage[] natives) => new()
    {
        Id = "work",
        Location = new SourceLocation("p.yaml", 1, 1),
        Type = new StageType(new StageDescriptor(new StageDeclaration { Type = "work", Summary = "", Outputs = [] }, [], Contract.Revision), "/plugin.dll", [], natives),
        Settings = new JsonObject(),
        SettingLocations = new Dictionary<string, SourceLocation>(),
        Files = [],
        Inputs = [],
        Patience = TimeSpan.FromMinutes(1),
    };

    /// <summary>A source of packages that are folders; fetching makes one appear in <c>packages</c>.</summary>
    private sealed class FolderPackages(TemporaryFolder folder) : INativePackages
    {
        private readonly Dictionary<string, (string Version, string Sha512, string? Needs)> _offers = [];
        private int _atOnce;

        /// <summary>Nothing comes before.</summary>
        public Task Until { get; set; } = Task.CompletedTask;

        public int Looked { get; private set; }

        public int Fetched { get; private set; }

        public int MostAtOnce { get; private set; }

        public void Offer(string id, string version, string sha512, string? needs = null) => _offers[id] = (version, sha512, needs);

        public Task<IReadOnlyList<NativePackage>?> Find(NativeRequest request, CancellationToken cancel)
        {
            Looked++;
            var all = All(request);
            return Task.FromResult<IReadOnlyList<NativePackage>?>(all.All(p => Directory.Exists(p.Folder) && request.Packages.All(r => r.Id != p.Id || r.Sha512 is null || r.Sha512 == p.Sha512)) ? all : null);
        }

        public async Task<IReadOnlyList<NativePackage>> Fetch(NativeRequest request, CancellationToken cancel)
        {
            MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _atOnce));
            Fetched++;
            cancel.ThrowIfCancellationRequested();
            await Until;
            await Task.Yield();
            var all = All(request);
            foreach (var package in all)
            {
                Directory.CreateDirectory(package.Folder!);
            }

            Interlocked.Decrement(ref _atOnce);
            return all;
        }

        private List<NativePackage> All(NativeRequest request) =>
            [.. request.Packages.SelectMany(p => p.Sha512 is null && _offers[p.Id].Needs is { } part ? new[] { p.Id, part } : [p.Id]).Distinct().Reverse().Select(One)];

        private NativePackage One(string id) => new(id, _offers[id].Version, _offers[id].Sha512, folder[$"packages/{id}"]);
    }
}
