// A checkpoint is the last whole one of its own action, or none.
using Scaling.TestKit;

namespace Scaling.Sdk.Tests;

public sealed class CheckpointsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _aside = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_last_one_saved_is_found_and_those_before_it_are_gone()
    {
        Assert.Null(Of("a").Last());
        Save(Of("a"), "one");
        Save(Of("a"), "two");

        Assert.Equal("two", File.ReadAllText(Of("a").Last()!));
        Assert.Single(Files());
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("truncate")]
    [InlineData("zero")]
    [InlineData("empty")]
    public void A_damaged_one_is_set_aside_and_the_one_before_it_stands(string how)
    {
        Save(Of("a"), "one");
        string kept = Files()[0];
        byte[] content = File.ReadAllBytes(kept);
        Save(Of("a"), "two");
        File.WriteAllBytes(kept, content); // As a kill between the rename and the removal leaves it.
        string last = Files().Single(f => f != kept);
        Damage.Do(last, how);

        Assert.Equal(kept, Of("a").Last());
        Assert.Equal([last], _aside);
        Assert.Equal([kept], Files());
    }

    [Fact]
    public void One_of_another_action_or_under_another_number_is_none()
    {
        Save(Of("a"), "one");
        Assert.Null(Of("b").Last());
        Save(Of("a"), "one");
        File.Move(Files()[0], Files()[0].Replace("checkpoint.1.", "checkpoint.2.", StringComparison.Ordinal));
        Assert.Null(Of("a").Last());
        Assert.Equal(2, _aside.Count);
    }

    [Fact]
    public void What_a_writer_leaves_that_died_or_threw_is_no_checkpoint_and_goes_with_the_next()
    {
        Save(Of("a"), "one");
        Assert.Throws<IOException>(() => Of("a").Save(path =>
        {
            File.WriteAllText(path, "half");
            File.WriteAllText(path + ".beside", "half");
            throw new IOException("no space");
        }));

        Assert.Equal("one", File.ReadAllText(Of("a").Last()!));
        Save(Of("a"), "two");
        Assert.Equal("two", File.ReadAllText(Of("a").Last()!));
        Assert.Single(Files());
        Assert.Empty(_aside);
    }

    private Checkpoints Of(string action) => new(_folder.Path, action, path =>
    {
        _aside.Add(path);
        File.Delete(path);
    });

    private static void Save(Checkpoints checkpoints, string text) => checkpoints.Save(path => File.WriteAllText(path, text));

    private string[] Files() => Directory.GetFiles(_folder.Path);
}
