// A remote cache between two machines, on real servers: what one has made the other does not make again, whatever the server does.

namespace Scaling.EndToEnd;

public sealed class RemoteTests : IDisposable
{
    private const string Stages = """
          rows: { uses: echo, with: { text: "a,bb,ccc", count: 3 } }
          squares: { uses: square, needs: rows, with: { factors: [1, 2] } }
          shared: { uses: shared, needs: rows, with: { word: "%WORD%" } }
          total: { uses: collect, needs: squares }

        """;

    private readonly Tool _one = new();
    private readonly Tool _two = new();

    public RemoteTests()
    {
        foreach (var tool in new[] { _one, _two })
        {
            tool.Write("study.yaml", Stages.Replace("%WORD%", new string('r', 6000)));
        }
    }

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void What_one_machine_ran_another_with_an_empty_store_runs_nothing_of_on_nginx()
    {
        using var server = new NginxServer();
        var first = _one.Run("run", "study.yaml", "--json", "--remote", server.Address, "--rights", "local:rw,remote:rw");
        Assert.True(first.ExitCode == 0, first.Error);

        AssertNothingRuns(first, server.Address);
        Assert.NotEmpty(server.Objects("cas"));

        // A hit on the collection opens no rows: they did not come.
        Assert.True(Entries(_two) < server.Objects("ac").Length, $"{Entries(_two)} of {server.Objects("ac").Length} entries came");
    }

    [NeedsFact(SwiftServer.Package, SwiftServer.Program, SwiftServer.Memcached)]
    public void What_one_machine_pushed_another_with_an_empty_store_runs_nothing_of_on_S3()
    {
        using var server = new SwiftServer();
        server.Name(_one.Environment);
        server.Name(_two.Environment);
        var first = _one.Run("run", "study.yaml", "--json");
        var push = _one.Run("cache", "push", "study.yaml", "--remote", "s3://cache/some/where", "--rights", "remote:rw");
        Assert.True(push.ExitCode == 0, push.Error);
        Assert.DoesNotContain(" 0 of", push.Output);

        AssertNothingRuns(first, "s3://cache/some/where");
        Assert.Contains("0 of", _one.Run("cache", "push", "study.yaml", "--remote", "s3://cache/some/where", "--rights", "remote:rw").Output);
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Signed_entries_are_taken_and_others_refused_aloud()
    {
        using var server = new NginxServer();
        string[] known = _one.Run("cache", "keygen", "known").Output.Trim().Split('\n');
        string[] unknown = _one.Run("cache", "keygen", "unknown").Output.Trim().Split('\n');
        _two.Environment["SCALING_TRUSTED_KEYS"] = _one.Folder[known[2]];
        _two.Environment["SCALING_REMOTE"] = server.Address;
        _one.Environment["SCALING_REMOTE"] = server.Address;
        _one.Environment["SCALING_RIGHTS"] = "remote:rw";
        _one.Environment["SCALING_SIGNING_KEY"] = unknown[1];
        Assert.Equal(0, _one.Run("run", "study.yaml").ExitCode);

        var refusing = _two.Run("run", "study.yaml", "--json");
        Assert.Equal(0, refusing.ExitCode);
        Assert.True(refusing.Executed > 0);
        Assert.Contains("SCAL4033", refusing.Error);
        Assert.Contains(unknown[0][..16], refusing.Error);

        _one.Environment["SCALING_SIGNING_KEY"] = known[1];
        Assert.Equal(0, _one.Run("cache", "push").ExitCode);
        Directory.Delete(_two.Folder["store"], recursive: true);
        var taking = _two.Run("run", "study.yaml", "--json");
        Assert.True(taking.Executed == 0, taking.Error);
        Assert.DoesNotContain("SCAL403", taking.Error);
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Damage_on_the_server_is_executed_again_and_mended()
    {
        using var server = new NginxServer();
        string[] give = ["run", "study.yaml", "--json", "--remote", server.Address, "--rights", "remote:rw"];
        Assert.Equal(0, _one.Run(give).ExitCode);
        foreach (string file in server.Objects("cas").Concat(server.Objects("ac")))
        {
            byte[] bytes = File.ReadAllBytes(file);
            bytes[bytes.Length / 3] ^= 4;
            File.WriteAllBytes(file, bytes);
        }

        var mending = _two.Run(give);
        Assert.True(mending.ExitCode == 0, mending.Error);
        Assert.Contains("SCAL4031", mending.Error);
        Assert.Equal(Stable(_one), Stable(_two));

        Directory.Delete(_two.Folder["store"], recursive: true);
        Assert.Equal(0, _two.Run("run", "study.yaml", "--json", "--remote", server.Address).Executed);
    }

    [Fact]
    public void A_server_that_is_not_there_is_said_once_and_everything_runs_here()
    {
        _one.Environment["SCALING_REMOTE"] = $"http://127.0.0.1:{CacheServer.FreePort()}/cache";
        var run = _one.Run("run", "study.yaml", "--json", "--rights", "remote:rw");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.True(run.Executed > 0);
        Assert.Single(run.Error.Split('\n'), line => line.Contains("SCAL4030", StringComparison.Ordinal));
        Assert.Contains("SCAL4036", run.Error);
        Assert.Equal(5, _one.Run("cache", "push", "study.yaml", "--rights", "remote:rw").ExitCode);

        var offline = _one.Run("run", "study.yaml", "--json", "--offline");
        Assert.Equal((0, 0), (offline.ExitCode, offline.Executed));
        Assert.DoesNotContain("SCAL", offline.Error);
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Plan_says_what_the_remote_has_and_pull_brings_it_without_executing()
    {
        using var server = new NginxServer();
        Assert.Equal(0, _one.Run("run", "study.yaml").ExitCode);
        var push = _one.Run("cache", "push", "--remote", server.Address, "--rights", "remote:rw");
        Assert.True(push.ExitCode == 0, push.Error);

        Assert.Contains("has 9 of the 9; a run brings them", _two.Run("plan", "study.yaml", "--remote", server.Address).Output);
        var pull = _two.Run("cache", "pull", "study.yaml", "--remote", server.Address);
        Assert.Contains("nothing is left to run", pull.Output);
        Assert.Equal((0, 0), (_two.Journal("square"), _two.Journal("collect")));
        Assert.Equal(0, _two.Run("run", "study.yaml", "--json", "--offline", "--remote", server.Address).Executed);
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Rows_that_stayed_in_the_remote_are_no_damage()
    {
        using var server = new NginxServer();
        Assert.Equal(0, _one.Run("run", "study.yaml", "--remote", server.Address, "--rights", "remote:rw").ExitCode);
        Assert.Equal(0, _two.Run("run", "study.yaml", "--remote", server.Address).ExitCode);

        var verify = _two.Run("verify", "study.yaml");
        Assert.True(verify.ExitCode == 0, verify.Error);
        Assert.Contains("2 actions are whole in the store; 9 are only in the remote", verify.Output);
        Assert.Contains("its table is here, the row itself is not", _two.Run("show", "squares@p1.1", "study.yaml").Error);
        Assert.Contains("its table is here, the row itself is not", _two.Run("why", "squares@p1.1", "study.yaml").Output);

        // Of tables that were made here the rows have to be here.
        File.Delete(Directory.EnumerateFiles(_one.Folder["store/entries"], "*", SearchOption.AllDirectories).First(f => File.ReadAllText(f).Contains("\"point\":\"p1.1\",\"entries\"", StringComparison.Ordinal)));
        Assert.Contains("SCAL3032", _one.Run("verify", "study.yaml").Error);
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Plan_promises_nothing_that_a_run_would_refuse()
    {
        using var server = new NginxServer();
        Assert.Equal(0, _one.Run("run", "study.yaml", "--remote", server.Address, "--rights", "remote:rw").ExitCode);
        _two.Environment["SCALING_TRUSTED_KEYS"] = _one.Folder[_one.Run("cache", "keygen", "known").Output.Trim().Split('\n')[2]];

        var plan = _two.Run("plan", "study.yaml", "--remote", server.Address);

        Assert.Contains(" has 0 of the 9.", plan.Output);
        Assert.Contains("SCAL4032", plan.Error);
    }

    [NeedsFact(NginxServer.Package, NginxServer.Program)]
    public void Execute_takes_from_the_remote_and_gives_to_it_as_a_run_does()
    {
        using var server = new NginxServer();
        foreach (var tool in new[] { _one, _two })
        {
            tool.Environment["SCALING_REMOTE"] = server.Address;
            tool.Environment["SCALING_RIGHTS"] = "remote:rw";
            File.WriteAllText(tool.Folder["plan.json"], tool.Run("plan", "study.yaml", "--json").Output);
        }

        var first = _one.Run("execute", "plan.json", "shared");
        var second = _two.Run("execute", "plan.json", "shared");

        Assert.True(first.ExitCode == 0, first.Error);
        Assert.Contains("4 entries given to ", first.Error); // Three rows, and what they share.
        Assert.True(second.ExitCode == 0, second.Error);
        Assert.Contains("4 entries brought from ", second.Error);
        Assert.Equal((4, 0), (_one.Journal("shared"), _two.Journal("shared")));
    }

    [Fact]
    public void Addresses_rights_and_keys_that_cannot_be_worked_with_are_refused_before_anything_runs()
    {
        (string Code, string[] Words)[] wrong =
        [
            ("SCAL1040", ["run", "study.yaml", "--remote", "ftp://host"]),
            ("SCAL1041", ["run", "study.yaml", "--remote", "http://127.0.0.1:1", "--rights", "everything"]),
            ("SCAL1041", ["cache", "push", "--remote", "http://127.0.0.1:1"]),
            ("SCAL1044", ["cache", "pull", "study.yaml"]),
            ("SCAL1045", ["cache", "keygen", "."]),
            ("SCAL1048", ["cache", "push", "study.yaml", "--remote", "http://127.0.0.1:1", "--rights", "remote:w"]),
        ];
        _one.Folder.Write("signing-key.pem", "");
        foreach (var (code, words) in wrong)
        {
            var ended = _one.Run(words);
            Assert.Equal(2, ended.ExitCode);
            Assert.Contains(code, ended.Error);
        }

        Assert.Equal(0, _one.Journal("square"));
    }

    private void AssertNothingRuns(Ended first, string address)
    {
        var second = _two.Run("run", "study.yaml", "--json", "--remote", address);

        Assert.True(second.ExitCode == 0 && second.Executed == 0, second.Error);
        Assert.True(first.Executed > 9);
        Assert.Empty(Directory.EnumerateFiles(_two.Folder["journal"]));
        Assert.Equal(_one.Results("study"), _two.Results("study"));
        Assert.Contains("brought from", second.Error);
    }

    private static int Entries(Tool tool) => Directory.GetFiles(tool.Folder["store/entries"], "*", SearchOption.AllDirectories).Length;

    private static SortedDictionary<string, string> Stable(Tool tool) => tool.Results("study", name => !name.EndsWith("times.csv", StringComparison.Ordinal));
}
