// What holds of every array, every name and every folder of a job.
using CsCheck;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Workers;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Executors;

public sealed class JobPropertyTests
{
    private static readonly Gen<int[]> Indexes = Gen.Int[0, 300].Array[1, 60];

    [Fact]
    public void Indexes_come_back_from_what_Slurm_writes_of_them() => Indexes.Select(Gen.Int[1, 9]).Sample((indexes, limit) =>
    {
        var set = ArrayIndexes.Of(indexes);
        int[] each = [.. indexes.Distinct().Order()];

        return set.Each.SequenceEqual(each) && set.Count == each.Length && Enumerable.Range(0, 302).All(i => set.Contains(i) == each.Contains(i))
            && ArrayIndexes.TryParse(set.ToString())!.Equals(set) && ArrayIndexes.TryParse($"[{set}%{limit}]")!.Equals(set) && ArrayIndexes.TryParse(string.Join(',', indexes))!.Equals(set);
    });

    [Fact]
    public void A_list_that_was_cut_short_is_none_or_lacks_nothing_that_it_says() => Indexes.Select(Gen.Int[0, 200]).Sample((indexes, length) =>
    {
        string text = $"[{ArrayIndexes.Of(indexes)}%7]";
        string cut = text[..Math.Min(length, text.Length)];

        return (cut == text) == (ArrayIndexes.TryParse(cut) is not null);
    });

    [Fact]
    public void Every_index_with_a_step_is_among_them() => Gen.Int[0, 50].Select(Gen.Int[0, 200], Gen.Int[1, 20]).Sample((first, length, step) =>
        ArrayIndexes.TryParse(FormattableString.Invariant($"{first}-{first + length}:{step}"))!.Each.SequenceEqual(Enumerable.Range(first, length + 1).Where(i => (i - first) % step == 0)));

    [Fact]
    public void The_token_comes_back_from_every_name() => Gen.Char["abcXYZ019._-"].Array[1, 90].Select(Gen.Char["abz-_9"].Array[1, 90]).Sample((pipeline, stage) =>
    {
        string token = JobName.NewToken();
        string name = JobName.Of(new string(pipeline), new string(stage), token);

        return JobName.TokenOf(name) == token && name.Length < 128 && !name.Contains('|') && !name.Contains(',');
    });

    [Theory]
    [InlineData("bash")]
    [InlineData("3f9a1c07d2e4b681")]
    [InlineData("p.runs.3F9A1C07D2E4B681")]
    [InlineData("p.runs.3f9a1c07d2e4b68")]
    [InlineData("p.runs.3f9a1c07d2e4b6811")]
    [InlineData("p.runs.3f9a1c07d2e4b681.batch")]
    public void Names_of_others_hold_no_token(string name) => Assert.Null(JobName.TokenOf(name));

    [Fact]
    public void Of_many_that_claim_a_folder_at_once_all_are_told_the_same_one() => Gen.Int[2, 12].Sample(claimants =>
    {
        using var folder = new TemporaryFolder();
        using var start = new Barrier(claimants);
        string[] owners = new string[claimants];
        Thread[] threads = [.. Enumerable.Range(0, claimants).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            owners[i] = new JobFolder(folder.Path).TryClaim($"{100 + i}");
        }))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());

        return owners.Distinct().Count() == 1 && new JobFolder(folder.Path).Claim == owners[0] && owners[int.Parse(owners[0], System.Globalization.CultureInfo.InvariantCulture) - 100] == owners[0];
    }, iter: 40, threads: 1);

    [Fact]
    public void A_job_comes_back_from_its_folder_and_from_nothing_less()
    {
        using var folder = new TemporaryFolder();
        var record = Record("3f9a1c07d2e4b681") with
        {
            Overrides = ["runs.steps=3"], Pack = 2, SideBySide = 2, Again = true, Exclusive = true, Earlier = new EarlierTries(1, 2, 3, 4), Made = new DateTimeOffset(2026, 11, 28, 15, 0, 0, TimeSpan.Zero),
            Resources = new Resources { Partition = "gpu", Time = TimeSpan.FromHours(3), Flags = ["--reservation=x"], Wrap = ["nice"] },
        };
        var job = new JobFolder(Path.Combine(JobFolder.Root(folder.Path), record.Token));
        Assert.Empty(JobFolder.Open(folder.Path));
        job.Write(record, null, "#!/bin/sh\n");

        Assert.Equivalent(record, Assert.Single(JobFolder.Open(folder.Path)).Record, strict: true);
        byte[] whole = File.ReadAllBytes(Path.Combine(job.Path, "job.json"));
        foreach (int length in new[] { 0, 10, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(Path.Combine(job.Path, "job.json"), whole[..length]);
            Assert.Null(job.Read());
        }

        File.WriteAllBytes(Path.Combine(job.Path, "job.json"), whole);
        string moved = Path.Combine(JobFolder.Root(folder.Path), "aaaaaaaaaaaaaaaa");
        Directory.Move(job.Path, moved);
        Assert.Null(new JobFolder(moved).Read()); // Of another token: nobody would know it in the queue.
    }

    [Fact]
    public void What_a_task_says_is_news_until_the_next_begin_and_half_a_word_is_none()
    {
        using var folder = new TemporaryFolder();
        var job = new JobFolder(Path.Combine(JobFolder.Root(folder.Path), "3f9a1c07d2e4b681"));
        job.Write(Record("3f9a1c07d2e4b681"), null, "");
        var begin = new TaskBegin("17", 0, "n1", default);
        Assert.Empty(job.News());
        job.Begin(3, begin);
        Assert.Equal(new TaskNews(0, -1, false), job.News()[3]);
        job.End(3, new TaskEnd { Begin = begin, Actions = [new TaskAction(new string('a', 64), ActionEnd.Stopped, [], 1, null)] });
        Assert.Equal(new TaskNews(0, 0, false), job.News()[3]);
        job.Begin(3, begin with { Restart = 11 });
        Assert.Equal(new TaskNews(11, 0, false), job.News()[3]);
        var again = new Decision.Again(new EarlierTries(1, 0, 0, 0), new Resources { Exclude = "n1" }, "its node failed");
        job.GiveUp(3, again);
        job.GiveUp(3, null); // Another was first.
        job.GiveUp(4, null);
        Assert.Equal(new TaskNews(11, 0, true), job.News()[3]);
        Assert.Equal(again, job.TriedAgain(3));
        Assert.Null(job.TriedAgain(4));
        Assert.Null(job.TriedAgain(5));

        File.WriteAllText(Path.Combine(job.Path, "tasks/3.0.ended"), "scaling-1 half");
        Assert.Null(job.EndOf(3, 0));
        Assert.Equal(11, job.BeginOf(3, 11)!.Restart);
    }

    private static JobRecord Record(string token) => new()
    {
        Schema = JobRecord.CurrentSchema, Token = token, Pipeline = "p", Path = "/p.yaml", Stage = "runs", Keys = [new string('a', 64), new string('b', 64)], Resources = Resources.None, Controller = "0123456789abcdef",
    };
}
